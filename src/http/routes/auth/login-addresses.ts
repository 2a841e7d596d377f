import { DomainError } from '../../../kernel/errors.ts';

/** Which logins this server takes part in, and where its browser steps lead. */
export type LoginAddresses = Readonly<{
  /** The identity provider's authorization endpoint. */
  authorizeUrl: string;
  tokenUrl: string;
  issuerUrl: string;
  audience: string;
  /** The first is the one that the server document names. */
  clientIds: readonly string[];
  /** This server's own callback as browsers reach it, in every allowed spelling; the first is named. */
  redirectUris: readonly string[];
  /** Without a website the browser ends on small pages of our own. */
  websiteBaseUrl: string | undefined;
  /** True when the identity provider is our own, on this machine. */
  embedded: boolean;
}>;

/** Throws DomainError `invalid_argument` unless the value is one of those that are allowed. */
export const mustBeAllowed = (name: string, value: string, allowed: readonly string[]): void => {
  if (!allowed.includes(value)) throw new DomainError('invalid_argument', `${name} is not one that this server knows`);
};

/** A path on the website. */
export const onWebsite = (websiteBaseUrl: string, path: string): string =>
  `${websiteBaseUrl.replace(/\/+$/, '')}${path}`;
