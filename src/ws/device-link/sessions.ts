import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import { SESSION_SECONDS, type Relay, type RelaySession } from '../../kernel/relay.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const ID_LENGTH = 32;
const TOKEN_LENGTH = 48;
/** Nobody has missed what comes after this: what the relay tells is only the latest id. */
const ABOVE_ALL = Number.MAX_SAFE_INTEGER;

const alphanumeric = (length: number): string =>
  Array.from({ length }, () => LETTERS.charAt(randomInt(LETTERS.length))).join('');

const hashOf = (token: string): string => createHash('sha256').update(token, 'utf8').digest('hex');

const isToken = (token: string, { tokenHash }: RelaySession): boolean =>
  timingSafeEqual(Buffer.from(hashOf(token)), Buffer.from(tokenHash));

type Whose = Readonly<{ userId: string; deviceId: string }>;

/** A session, and its token for the one who opened it. */
export type OpenedSession = Readonly<{ session: RelaySession; token: string }>;

/** The right of a device to come back as the one it was. */
export const linkSessions = (relay: Pick<Relay, 'keepSession' | 'session' | 'replay'>) => ({
  open: async (whose: Whose): Promise<OpenedSession> => {
    const token = alphanumeric(TOKEN_LENGTH);
    const { latest } = await relay.replay(whose.userId, ABOVE_ALL);
    const session = {
      ...whose,
      sessionId: alphanumeric(ID_LENGTH),
      tokenHash: hashOf(token),
      since: latest,
    };
    await relay.keepSession(session);
    return { session, token };
  },
  /** The session that a token opens for a device; undefined when it opens none. */
  resume: async (whose: Whose, sessionId: string, token: string): Promise<RelaySession | undefined> => {
    const session = await relay.session(sessionId);
    const fits = session?.userId === whose.userId && session.deviceId === whose.deviceId && isToken(token, session);
    if (!fits) return undefined;
    await relay.keepSession(session);
    return session;
  },
});

/** When a session that is used now is over, with the offset that the clients' parsers know here. */
export const sessionEnd = (now: Date): string =>
  new Date(now.getTime() + SESSION_SECONDS * 1_000).toISOString().replace('Z', '+00:00');
