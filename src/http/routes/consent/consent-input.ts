import { z } from 'zod';
import {
  CONSENT_REGIONS,
  DOCUMENT_TYPES,
  type ConsentRegion,
  type DocumentPlace,
  type DocumentType,
} from '../../../events/consent/consent.events.ts';
import { DomainError } from '../../../kernel/errors.ts';

const oneOf = <T extends string>(name: string, known: readonly T[], text: string | undefined): T => {
  const found = known.find((value) => value === text?.trim().toLowerCase());
  if (found !== undefined) return found;
  throw new DomainError('bad_request', `${name} must be one of ${known.join(', ')}`);
};

/** The region that a client names, in any case. Throws DomainError `bad_request`. */
export const regionOf = (text: string | undefined): ConsentRegion => oneOf('region', CONSENT_REGIONS, text);

/** The type of document that a client names, in any case. Throws DomainError `bad_request`. */
export const documentTypeOf = (text: string | undefined): DocumentType => oneOf('doc_type', DOCUMENT_TYPES, text);

/** The region of a question. */
export const regionQuery = z.object({ region: z.string().optional() });

/** A document in the spelling of either client: the desktop says `doc_type`, the phone `docType`. */
export const placeInput = {
  doc_type: z.string().optional(),
  docType: z.string().optional(),
  region: z.string().optional(),
};

type PlaceInput = Readonly<{
  doc_type?: string | undefined;
  docType?: string | undefined;
  region?: string | undefined;
}>;

/** The document that is meant. Throws DomainError `bad_request`. */
export const placeOf = ({ doc_type, docType, region }: PlaceInput): DocumentPlace => ({
  docType: documentTypeOf(doc_type ?? docType),
  region: regionOf(region),
});
