import type { Role } from './identity.ts';

/** What an app token says. Times are seconds since the epoch. */
export type AppClaims = Readonly<{
  userId: string;
  email: string;
  /** As of the time of issue: for display, never for a decision. */
  role: Role;
  /** The identity provider's subject; undefined in tokens of servers that do not tell. */
  subject: string | undefined;
  jti: string;
  /** Lowercase; undefined: bound to no device. */
  deviceId: string | undefined;
  /** SHA-256 in hex of what `X-Token-Binding` must be; undefined: no such header is needed. */
  binding: string | undefined;
  scopes: readonly string[];
  sessionId: string;
  issuedAt: number;
  expiresAt: number;
}>;

/** What the issuer of a token decides; the rest follows from it. */
export type TokenGrant = Pick<
  AppClaims,
  'userId' | 'email' | 'role' | 'subject' | 'jti' | 'deviceId' | 'sessionId' | 'issuedAt' | 'expiresAt'
>;

/** The port to the tokens that clients carry. */
export type AppTokens = Readonly<{
  issue: (grant: TokenGrant) => Promise<string>;
  /** What the token says. Throws DomainError `authentication_error` when it is forged, foreign, malformed or expired. */
  verify: (token: string, now: Date) => Promise<AppClaims>;
}>;
