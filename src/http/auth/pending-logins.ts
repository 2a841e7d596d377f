import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import type { EphemeralStore } from '../../kernel/ephemeral.ts';

/** A login between the browser's first and last step. */
const begunSchema = z.object({ pid: z.string(), csrf: z.string() });
type Begun = Readonly<z.output<typeof begunSchema>>;

const endedSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('ready'), code: z.string(), csrf: z.string(), readAt: z.number().nullable() }),
  z.object({ status: z.literal('error'), error: z.string(), description: z.string().nullable() }),
]);

/** How the browser's part ended: with a code for the client, or with an error of the provider. */
export type EndedLogin = Readonly<z.output<typeof endedSchema>>;

const LIFE_SECONDS = 600;
const REREAD_SECONDS = 60;

// Whoever can read the store must not be able to finish somebody's login by what they see in the keys.
const keyOf = (kind: 'state' | 'poll', secret: string): string =>
  `login:${kind}:${createHash('sha256').update(secret, 'utf8').digest('hex')}`;

/** Logins under way, shared by all instances, gone after ten minutes. */
export const pendingLogins = (store: EphemeralStore, clock: Clock) => ({
  begin: (state: string, login: Begun): Promise<void> => store.put(keyOf('state', state), login, LIFE_SECONDS),

  /** The login of a state, once; undefined when there is none any more. */
  take: async (state: string): Promise<Begun | undefined> =>
    begunSchema.safeParse(await store.take(keyOf('state', state))).data,

  succeed: ({ pid, csrf }: Begun, code: string): Promise<void> => {
    const ended: EndedLogin = { status: 'ready', code, csrf, readAt: null };
    return store.put(keyOf('poll', pid), ended, LIFE_SECONDS);
  },

  fail: ({ pid }: Begun, error: string, description: string | undefined): Promise<void> => {
    const ended: EndedLogin = { status: 'error', error, description: description ?? null };
    return store.put(keyOf('poll', pid), ended, LIFE_SECONDS);
  },

  /** How the login ended; undefined while it has not. After the first look it can be read for one more minute. */
  look: async (pid: string): Promise<EndedLogin | undefined> => {
    const key = keyOf('poll', pid);
    const ended = endedSchema.safeParse(await store.get(key)).data;
    if (ended?.status !== 'ready' || ended.readAt !== null) return ended;
    await store.put(key, { ...ended, readAt: clock().getTime() }, REREAD_SECONDS);
    return ended;
  },
});

export type PendingLogins = ReturnType<typeof pendingLogins>;
