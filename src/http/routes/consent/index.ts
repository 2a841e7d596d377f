import type { Consents } from '../../../../commands/consent/consents.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import type { Endpoint } from '../../endpoint.ts';
import { listDocuments, publishDocument } from './documents-admin.ts';
import { acceptConsent, withdrawConsent, type GiveConsentDeps } from './give-consent.ts';
import { consentStatus, currentDocumentsEndpoint, verifyConsent } from './read-consent.ts';
import { consentReportEndpoint } from './report.ts';

type Deps = Readonly<{ consents: Consents; device: GiveConsentDeps['device']; queries: QueryRunner }>;

/** Everything about what users agree to. */
export const consentEndpoints = (deps: Deps): readonly Endpoint[] => [
  currentDocumentsEndpoint(deps.queries),
  consentStatus(deps.queries),
  verifyConsent(deps.queries),
  acceptConsent(deps),
  withdrawConsent(deps),
  consentReportEndpoint(deps.queries),
  listDocuments(deps.queries),
  publishDocument(deps.consents),
];
