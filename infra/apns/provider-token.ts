import { importPKCS8, SignJWT } from 'jose';
import type { Clock } from '../../src/kernel/clock.ts';

/** The key that Apple has given out for sending. `privateKey` is PEM (PKCS #8), its line ends possibly as `\n` in text. */
export type ApnsKey = Readonly<{ teamId: string; keyId: string; privateKey: string }>;

/** The token that proves to Apple who sends. */
export type ProviderToken = Readonly<{
  /** Rejects when the private key is no good. */
  current: () => Promise<string>;
  /** Apple does not take `token` any more: the next one is new, but never sooner than Apple allows. */
  expired: (token: string) => void;
}>;

/** Apple wants one between 20 and 60 minutes old: a younger one is "too many updates", an older one has expired. */
const RENEW_AFTER_MS = 40 * 60_000;
const YOUNGEST_MS = 20 * 60_000;

type Made = Readonly<{ at: number; token: Promise<string> }>;

/** One token for all sends, renewed in time. */
export const providerToken = ({ teamId, keyId, privateKey }: ApnsKey, clock: Clock): ProviderToken => {
  const key = (): ReturnType<typeof importPKCS8> => importPKCS8(privateKey.replaceAll('\\n', '\n').trim(), 'ES256');
  let made: Made | undefined;

  const make = async (at: number): Promise<string> =>
    new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: keyId })
      .setIssuer(teamId)
      .setIssuedAt(Math.floor(at / 1000))
      .sign(await key());

  const stale = ({ at }: Made, now: number): boolean => now - at >= RENEW_AFTER_MS || now < at;

  return {
    current: () => {
      const now = clock().getTime();
      if (made === undefined || stale(made, now)) made = { at: now, token: make(now) };
      return made.token;
    },
    expired: (token) => {
      const refused = made;
      void refused?.token.then((own) => {
        const age = clock().getTime() - refused.at;
        if (own === token && made === refused && age >= YOUNGEST_MS) made = undefined;
      });
    },
  };
};
