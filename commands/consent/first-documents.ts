import { CONSENT_REGIONS, DOCUMENT_TYPES } from '../../src/events/consent/consent.events.ts';
import { contentDigest } from '../../src/kernel/digest.ts';
import type { NewDocument } from './consents.ts';

const FIRST_VERSION = '2025-08-12';

/** When they were published, wherever and whenever they are. */
export const FIRST_PUBLISHED_AT = `${FIRST_VERSION}T00:00:00.000Z`;

/** The documents that come with the build. Their texts are pages of the website: the hash is of address and version. */
export const firstDocuments: readonly NewDocument[] = CONSENT_REGIONS.flatMap((region) =>
  DOCUMENT_TYPES.map((docType) => {
    const url = `/legal/${region}/${docType}`;
    return {
      region,
      docType,
      version: FIRST_VERSION,
      effectiveAt: FIRST_VERSION,
      url,
      contentHash: contentDigest({ url, version: FIRST_VERSION }),
      materialChange: false,
    };
  }),
);
