import { currentDocuments, type DocumentView } from '../../../../queries/consent/consent-documents.query.ts';
import { consentState, type AcceptedDocument } from '../../../../queries/consent/consent-state.query.ts';
import type { IsoTime } from '../../../kernel/message.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { regionOf, regionQuery } from './consent-input.ts';

const itemOf = (
  { docType, region, version, effectiveAt, url }: DocumentView,
  accepted: AcceptedDocument | undefined,
) => ({
  docType,
  region,
  currentVersion: version,
  acceptedVersion: accepted?.version ?? null,
  acceptedAt: accepted?.acceptedAt ?? null,
  requiresReconsent: accepted?.version !== version,
  effectiveAt,
  url,
});

/** How a user stands to the current documents of a region. */
const standing = async (queries: QueryRunner, userId: string, region: string, at: IsoTime) => {
  // The user's own question comes first: it waits for what the user has just written.
  const accepted = await queries.asUser(userId, consentState(userId, region));
  const documents = await queries.asSystem(currentDocuments(region, at.slice(0, 10)));
  return documents.map((document) =>
    itemOf(
      document,
      accepted.find(({ docType }) => docType === document.docType),
    ),
  );
};

/** GET /api/consent/documents/current: what there is to agree to. */
export const currentDocumentsEndpoint = (queries: QueryRunner): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/consent/documents/current',
    limit: 'read',
    scope: 'account',
    query: regionQuery,
    handle: async ({ query, cause }) =>
      json(200, await queries.asSystem(currentDocuments(regionOf(query.region), cause.at.slice(0, 10)))),
  });

/** GET /api/consent/status: what the user has agreed to, and whether that still is what there is to agree to. */
export const consentStatus = (queries: QueryRunner): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/consent/status',
    limit: 'read',
    scope: 'account',
    query: regionQuery,
    handle: async ({ query, cause }, { userId }) => {
      const region = regionOf(query.region);
      const items = await standing(queries, userId, region, cause.at);
      const allConsented = items.every(({ requiresReconsent }) => !requiresReconsent);
      return json(200, { userId, region, allConsented, items });
    },
  });

/** GET /api/consent/verify: what the user still has to agree to. */
export const verifyConsent = (queries: QueryRunner): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/consent/verify',
    limit: 'read',
    scope: 'account',
    query: regionQuery,
    handle: async ({ query, cause }, { userId }) => {
      const details = await standing(queries, userId, regionOf(query.region), cause.at);
      const missing = details.filter(({ requiresReconsent }) => requiresReconsent).map(({ docType }) => docType);
      return json(200, { requiresReconsent: missing.length > 0, missing, details });
    },
  });
