import { createHash } from 'node:crypto';
import { looksLikeKey } from '../../../commands/api-keys/key-text.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { AppClaims } from '../../kernel/tokens.ts';
import type { Credentials } from '../authenticator.ts';

/** A refusal of the caller's proof. Clients look for phrases in it, so the words here are fixed. */
export const refused = (why: string): DomainError => new DomainError('authentication_error', why);

const LOGOUT = /\/auth\/logout\/?$/;

const BEARER = 'Bearer ';
const KEY_SCHEME = 'ApiKey ';

/** The API key that the request offers; undefined: none. OpenAI's clients send theirs as if it were a token. */
export const keyOffered = ({
  apiKey,
  authorization,
}: Pick<Credentials, 'apiKey' | 'authorization'>): string | undefined => {
  if (apiKey !== undefined) return apiKey.trim();
  if (authorization?.startsWith(KEY_SCHEME) === true) return authorization.slice(KEY_SCHEME.length).trim();
  if (authorization?.startsWith(BEARER) !== true) return undefined;
  const bearer = authorization.slice(BEARER.length).trim();
  return looksLikeKey(bearer) ? bearer : undefined;
};

/** The token that the request offers. */
export const bearerOf = ({ authorization }: Pick<Credentials, 'authorization'>): string => {
  if (authorization?.startsWith(BEARER) !== true)
    throw refused('Missing credentials; sign in and send the token as "Authorization: Bearer"');
  return authorization.slice(BEARER.length).trim();
};

/** The device that the token is bound to must be the one that sends it. */
export const checkDevice = ({ deviceId }: AppClaims, offered: Credentials): void => {
  if (deviceId === undefined) return;
  if (offered.deviceId === undefined) {
    throw refused(
      'device binding validation failed: the header X-Device-ID is missing; send the id that the token was made for',
    );
  }
  if (offered.deviceId.toLowerCase() !== deviceId) {
    throw refused(
      'device binding validation failed: device id mismatch; send the id that the token was made for, or sign in on this device',
    );
  }
};

/** Logging out is excused: the desktop does not send the header there, and a token nobody can end helps nobody. */
export const checkBinding = ({ binding }: AppClaims, { tokenBinding, method, path }: Credentials): void => {
  if (binding === undefined) return;
  if (tokenBinding === undefined) {
    if (method === 'POST' && LOGOUT.test(path)) return;
    throw refused('token binding validation failed: missing x-token-binding header; send the device id in it');
  }
  const hash = createHash('sha256').update(tokenBinding, 'utf8').digest('hex');
  if (hash !== binding)
    throw refused('token binding validation failed; send the device id, in lower case, as X-Token-Binding');
};

/** Reading needs the scope `read`, everything else `write` too. */
export const checkScope = ({ scopes }: AppClaims, { method }: Credentials): void => {
  const needed = method === 'GET' || method === 'HEAD' ? ['read'] : ['read', 'write'];
  const missing = needed.filter((scope) => !scopes.includes(scope));
  if (missing.length > 0) throw refused(`the token lacks the scope ${missing.join(' and ')}; sign in again`);
};
