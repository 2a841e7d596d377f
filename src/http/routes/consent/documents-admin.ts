import { z } from 'zod';
import type { Consents } from '../../../../commands/consent/consents.ts';
import { allDocuments } from '../../../../queries/consent/consent-documents.query.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { adminEndpoint, json, type Endpoint } from '../../endpoint.ts';
import { placeInput, placeOf } from './consent-input.ts';

const PATH = '/api/consent/admin/documents';

const isAddress = (text: string): boolean => /^\/(?!\/)\S*$/.test(text) || /^https:\/\/\S+$/.test(text);

const body = z.object({
  ...placeInput,
  version: z.string().regex(/^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$/, 'must be letters, digits, dots and dashes'),
  effectiveAt: z.iso.date('must be a day, YYYY-MM-DD'),
  url: z.string().max(512).refine(isAddress, 'must be a path on the website or an https address'),
  contentHash: z.string().regex(/^[0-9a-f]{64}$/i, 'must be the SHA-256 of the text in hex'),
  materialChange: z.boolean().default(false),
});

/** POST /api/consent/admin/documents: publishes a version. One of a day to come hides nothing until that day. */
export const publishDocument = (consents: Pick<Consents, 'publish'>): Endpoint =>
  adminEndpoint({
    method: 'POST',
    path: PATH,
    limit: 'write',
    body,
    handle: async ({ body: sent, cause }) => {
      const { version, effectiveAt, url, contentHash, materialChange } = sent;
      const document = { ...placeOf(sent), version, effectiveAt, url, contentHash, materialChange };
      const { documentId: id, at, ...published } = await consents.publish(document, cause);
      return json(201, { id, ...published, createdAt: at, updatedAt: at });
    },
  });

/** GET /api/consent/admin/documents: every version there ever was, and those to come. */
export const listDocuments = (queries: QueryRunner): Endpoint =>
  adminEndpoint({
    method: 'GET',
    path: PATH,
    limit: 'read',
    handle: async () => json(200, await queries.asSystem(allDocuments())),
  });
