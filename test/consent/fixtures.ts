import type { NewDocument } from '../../commands/consent/consents.ts';
import type { ConsentDocument } from '../../commands/consent/consent.state.ts';
import type { AcceptConsent, WithdrawConsent } from '../../commands/consent/consent.commands.ts';

export const USER = '11111111-1111-4111-8111-111111111111';
export const T0 = '2026-03-01T12:00:00.000Z';

export const terms = (version: string, effectiveAt: string): NewDocument => ({
  region: 'eu',
  docType: 'terms',
  version,
  effectiveAt,
  url: '/legal/eu/terms',
  contentHash: 'a'.repeat(64),
  materialChange: false,
});

/** The document as it stands in the log. */
export const published = (document: NewDocument, at: string = T0): ConsentDocument => ({
  ...document,
  documentId: `${document.docType} ${document.version}`,
  at,
});

const word = { userId: USER, region: 'eu', docType: 'terms', source: 'api', userAgent: null, details: null } as const;

export const accept = (version: string): AcceptConsent => ({
  type: 'AcceptConsent',
  key: `accept:${version}`,
  data: { ...word, version, at: T0 },
});

export const withdraw: WithdrawConsent = { type: 'WithdrawConsent', key: 'withdraw', data: { ...word, at: T0 } };
