import { createHash, createSecretKey } from 'node:crypto';
import { errors, jwtVerify, SignJWT, type JWTPayload } from 'jose';
import { DomainError } from '../../src/kernel/errors.ts';
import { isUuid } from '../../src/kernel/ids.ts';
import type { AppClaims, AppTokens, TokenGrant } from '../../src/kernel/tokens.ts';

export type AppTokenOptions = Readonly<{
  /** Shared by all servers whose tokens are to be accepted; at least 32 characters. */
  secret: string;
  /** Accepted besides our own name. */
  issuers?: readonly string[];
  /** Accepted besides our own name. */
  audiences?: readonly string[];
}>;

const ISSUER = 'plantocode';
const AUDIENCE = 'plantocode-api';
const SCOPE = 'read write rpc';

/** What `X-Token-Binding` is compared with. */
const bindingOf = (deviceId: string): string => createHash('sha256').update(deviceId, 'utf8').digest('hex');

const refused = (why: string): DomainError => new DomainError('authentication_error', why);

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const payloadOf = ({ email, role, subject, deviceId, sessionId }: TokenGrant): JWTPayload => ({
  email,
  role,
  auth0_sub: subject ?? null,
  device_id: deviceId ?? null,
  tbh: deviceId === undefined ? null : bindingOf(deviceId),
  scope: SCOPE,
  session_id: sessionId,
  ip_binding: null,
});

const uuid = (value: string | undefined): string => {
  if (value === undefined || !isUuid(value)) throw refused('the token is malformed; sign in again');
  return value.toLowerCase();
};

/** Tokens of servers without sessions are a session each. */
const sessionOf = (value: unknown): string | undefined =>
  typeof value === 'string' && isUuid(value) ? value.toLowerCase() : undefined;

const claimsOf = (payload: JWTPayload): AppClaims => {
  const { iat, exp } = payload;
  if (iat === undefined || exp === undefined) throw refused('the token is malformed; sign in again');
  const jti = uuid(payload.jti);
  return {
    userId: uuid(payload.sub),
    email: text(payload['email']) ?? '',
    role: payload['role'] === 'admin' ? 'admin' : 'user',
    subject: text(payload['auth0_sub']),
    jti,
    deviceId: text(payload['device_id'])?.toLowerCase(),
    binding: text(payload['tbh'])?.toLowerCase(),
    scopes: (text(payload['scope']) ?? '').split(' '),
    sessionId: sessionOf(payload['session_id']) ?? jti,
    issuedAt: iat,
    expiresAt: exp,
  };
};

const whyNot = (error: unknown): string => {
  if (error instanceof errors.JWTExpired)
    return 'the token has expired; refresh tokens before they do, or sign in again';
  if (error instanceof errors.JWTClaimValidationFailed)
    return `the token is not for this server (${error.claim}); sign in here`;
  return 'the token is not valid; sign in again';
};

/** Issues and verifies app tokens: JWT, HS256, in the shape that the clients know. */
export const appTokens = ({ secret, issuers = [], audiences = [] }: AppTokenOptions): AppTokens => {
  if (secret.length < 32) throw new Error('the secret of app tokens must have at least 32 characters');
  const key = createSecretKey(Buffer.from(secret, 'utf8'));
  const accepted = { algorithms: ['HS256'], issuer: [ISSUER, ...issuers], audience: [AUDIENCE, ...audiences] };

  const issue = (grant: TokenGrant): Promise<string> =>
    new SignJWT(payloadOf(grant))
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(grant.userId)
      .setJti(grant.jti)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt(grant.issuedAt)
      .setExpirationTime(grant.expiresAt)
      .sign(key);

  const verify = async (token: string, now: Date): Promise<AppClaims> => {
    try {
      const { payload } = await jwtVerify(token, key, { ...accepted, currentDate: now, clockTolerance: 0 });
      return claimsOf(payload);
    } catch (error) {
      if (error instanceof errors.JOSEError) throw refused(whyNot(error));
      throw error;
    }
  };

  return { issue, verify };
};
