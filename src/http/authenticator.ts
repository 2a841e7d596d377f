import type { Caller } from './endpoint.ts';

/** What a request offers as proof of who sends it. Header values as they came. */
export type Credentials = Readonly<{
  authorization: string | undefined;
  apiKey: string | undefined;
  deviceId: string | undefined;
  tokenBinding: string | undefined;
  method: string;
  /** Path without the query; logging out is accepted without the binding header, which the desktop does not send. */
  path: string;
}>;

/**
 * Proves the caller. Throws DomainError `authentication_error` when the proof does not hold, and faults when it could
 * not be checked: a part that is down must never look like a dead token, because clients throw dead tokens away.
 */
export type Authenticator = (credentials: Credentials) => Promise<Caller>;
