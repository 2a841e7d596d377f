import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';
import { z } from 'zod';
import { DomainError } from '../../src/kernel/errors.ts';
import type { IdentityProvider, Profile, Role } from '../../src/kernel/identity.ts';
import type { Logger } from '../../src/kernel/logger.ts';

export type IdentityProviderOptions = Readonly<{
  /** The issuer as tokens name it: `https://{domain}/` for Auth0. */
  issuerUrl: string;
  /** What access tokens must be for. */
  audience: string;
  /** The claim of access tokens that tells the role, as a text or a list; absent: the provider does not tell. */
  roleClaim?: string;
  timeoutMs?: number;
  /** How long after a look at the keys the next unknown key is refused without another look; 30 s when absent. */
  keyCooldownMs?: number;
  logger: Logger;
}>;

const USERINFO = z.object({
  sub: z.string().min(1),
  name: z.string().nullish(),
  email: z.string().nullish(),
  // Some connections write it as a text.
  email_verified: z.union([z.boolean(), z.literal('true'), z.literal('false')]).nullish(),
});

type Userinfo = z.output<typeof USERINFO>;

/** Clocks of two companies differ a little. */
const CLOCK_TOLERANCE_SECONDS = 10;
const REFUSALS: readonly string[] = [
  errors.JWTExpired.code,
  errors.JWTClaimValidationFailed.code,
  errors.JWTInvalid.code,
  errors.JWSInvalid.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
  errors.JWKSNoMatchingKey.code,
  errors.JWKSMultipleMatchingKeys.code,
];

const refused = (why: string, cause?: unknown): DomainError => new DomainError('authentication_error', why, { cause });

/** Not the caller's fault: they keep what they have and try again. */
const unreachable = (cause: unknown): DomainError =>
  new DomainError('external_service_error', 'the identity provider did not answer; try again', {
    retryAfterSeconds: 5,
    cause,
  });

/** The address of one of the provider's endpoints. */
export const issuerEndpoint = (issuerUrl: string, path: string): string =>
  new URL(path, issuerUrl.endsWith('/') ? issuerUrl : `${issuerUrl}/`).href;

const roleIn = (payload: JWTPayload, claim: string | undefined): Role | undefined => {
  if (claim === undefined) return undefined;
  const told = payload[claim];
  return told === 'admin' || (Array.isArray(told) && told.includes('admin')) ? 'admin' : 'user';
};

const profileFrom = ({ sub, name, email, email_verified: verified }: Userinfo, role: Role | undefined): Profile => ({
  subject: sub,
  email: email === null || email === '' ? undefined : email,
  emailVerified: verified === true || verified === 'true',
  name: name === null || name === '' ? undefined : name,
  role,
});

/** Auth0, or anything that speaks as it does: keys are kept and looked up again when a token names an unknown one. */
export const identityProvider = (options: IdentityProviderOptions): IdentityProvider => {
  const { issuerUrl, audience, roleClaim, logger } = options;
  const timeoutMs = options.timeoutMs ?? 5000;
  const keys = createRemoteJWKSet(new URL(issuerEndpoint(issuerUrl, '.well-known/jwks.json')), {
    timeoutDuration: timeoutMs,
    cooldownDuration: options.keyCooldownMs ?? 30_000,
    cacheMaxAge: 600_000,
  });
  const userinfoUrl = issuerEndpoint(issuerUrl, 'userinfo');

  const verify = async (token: string): Promise<JWTPayload> => {
    const expected = { issuer: issuerUrl, audience, algorithms: ['RS256'], clockTolerance: CLOCK_TOLERANCE_SECONDS };
    try {
      return (await jwtVerify(token, keys, { ...expected, requiredClaims: ['sub', 'exp'] })).payload;
    } catch (error) {
      if (error instanceof errors.JOSEError && REFUSALS.includes(error.code)) {
        throw refused('the access token of the identity provider is not valid', error);
      }
      logger.warn({ err: error }, 'the keys of the identity provider could not be had');
      throw unreachable(error);
    }
  };

  const ask = async (token: string): Promise<Response> => {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      return await fetch(userinfoUrl, { headers: { authorization: `Bearer ${token}` }, signal, redirect: 'error' });
    } catch (error) {
      logger.warn({ err: error }, 'the identity provider did not answer');
      throw unreachable(error);
    }
  };

  const userinfo = async (token: string): Promise<Userinfo> => {
    const response = await ask(token);
    const body: unknown = await response.json().catch(() => undefined);
    if (response.status === 401 || response.status === 403) {
      throw refused('the identity provider does not accept its access token any more');
    }
    const told = USERINFO.safeParse(body);
    if (response.ok && told.success) return told.data;
    logger.warn({ status: response.status }, 'the identity provider gave an answer of no use');
    throw unreachable(new Error(`userinfo answered ${response.status}`));
  };

  return {
    profileOf: async (accessToken) => {
      const payload = await verify(accessToken);
      const told = await userinfo(accessToken);
      if (told.sub !== payload.sub) throw refused('the identity provider says that the token is somebody else’s');
      return profileFrom(told, roleIn(payload, roleClaim));
    },
  };
};
