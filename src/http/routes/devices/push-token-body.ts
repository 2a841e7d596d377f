import { z } from 'zod';
import type { Whose } from '../../../../commands/devices/device-registry.ts';
import type { PushTokenDesk } from '../../../../commands/push-tokens/push-token-desk.ts';
import type { Cause } from '../../../kernel/message.ts';
import type { PushEnvironment } from '../../../kernel/push.ts';
import { eitherSpelling } from '../../either-spelling.ts';
import { plainText } from '../../plain-text.ts';

const MOST_CHARACTERS = 1024;
const VISIBLE = /^[\x21-\x7e]+$/;

/** True for what can be a push token: Apple's are hex, others are letters with some signs. */
export const isToken = (text: string): boolean => text.length <= MOST_CHARACTERS && VISIBLE.test(text);

/** A push token in a body. */
export const tokenText = z
  .string()
  .trim()
  .refine(isToken, `must be a push token: 1 to ${MOST_CHARACTERS} visible characters`);

/** Apple and its tools say `development` too. */
const ENVIRONMENTS: ReadonlyMap<string, PushEnvironment> = new Map([
  ['sandbox', 'sandbox'],
  ['development', 'sandbox'],
  ['production', 'production'],
]);

const environment = z.string().transform((text, context) => {
  const known = ENVIRONMENTS.get(text.trim().toLowerCase());
  if (known === undefined) context.addIssue('must be sandbox (or development) or production');
  return known ?? z.NEVER;
});

const bundleId = z.string().regex(/^[A-Za-z0-9.-]{1,155}$/, 'must be the id of an app');

/** What may stand beside a token. */
const besideToken = {
  platform: plainText(50).nullish(),
  environment: environment.nullish(),
  bundleId: bundleId.nullish(),
};

type Beside = Readonly<{
  platform?: string | null | undefined;
  environment?: PushEnvironment | null | undefined;
  bundleId?: string | null | undefined;
}>;

const tokenBody = z
  .object({
    ...besideToken,
    token: tokenText.nullish(),
    pushToken: tokenText.nullish(),
    deviceToken: tokenText.nullish(),
  })
  .transform(({ token, pushToken, deviceToken, ...beside }, context) => {
    const given = token ?? pushToken ?? deviceToken;
    if (given === null || given === undefined) {
      context.addIssue({ code: 'custom', path: ['token'], message: 'is needed' });
      return z.NEVER;
    }
    return { ...beside, token: given };
  });

export type TokenBody = z.output<typeof tokenBody>;

/** A token by any of the names that clients and documents give it. */
export const pushTokenBody = eitherSpelling<TokenBody>(tokenBody);

/** What the desk is given. */
export const handedIn = (token: string, { platform, environment, bundleId }: Beside) => ({
  token,
  platform: platform ?? null,
  environment: environment ?? null,
  bundleId: bundleId ?? null,
});

/** Keeps the first token that a registration told, if it told one. */
export const keepToken = async (
  tokens: Pick<PushTokenDesk, 'store'>,
  whose: Whose,
  told: readonly (string | null | undefined)[],
  cause: Cause,
): Promise<void> => {
  const token = told.find((text) => text !== undefined && text !== null && text !== '');
  if (token === undefined || token === null) return;
  await tokens.store(whose, handedIn(token, {}), undefined, cause);
};
