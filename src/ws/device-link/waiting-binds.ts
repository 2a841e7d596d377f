import { serialByKey } from '../../kernel/serial.ts';
import type { Registered } from './connections.ts';
import type { LinkErrorCode } from './frames.ts';

/** Why a terminal cannot be shown now. */
export type Refusal = readonly [LinkErrorCode, string];

/** A phone that wants to watch a terminal, and the frame that its desktop is to get. */
export type Wish = Readonly<{ connection: Registered; sessionId: string; frame: string }>;

/** Binds that wait for a desktop: a phone may be back before it is, and asks only once. */
export type WaitingBinds = Readonly<{
  /** Tries at once, when a desktop comes and a last time after a while. Rejects when the first attempt does. */
  ask: (wish: Wish) => Promise<void>;
  /** Ends a wish, and does what is to be done after the attempt that may be under way. */
  withdraw: (wish: Pick<Wish, 'connection' | 'sessionId'>, then: () => Promise<void>) => Promise<void>;
  /** To be told when a desktop of a user has come. Never rejects. */
  desktopCame: (userId: string) => Promise<void>;
}>;

type Deps = Readonly<{
  /** Undefined when the terminal is shown. */
  attempt: (wish: Wish) => Promise<Refusal | undefined>;
  refuse: (connection: Registered, ...refusal: Refusal) => void;
  holdMs: number;
}>;

/** What a phone is told of a desktop that a frame did not reach. */
export const NOT_TOLD: Refusal = ['forwardFailed', 'the desktop could not be told; try again'];

const keyOf = ({ connection, sessionId }: Pick<Wish, 'connection' | 'sessionId'>): string =>
  `${connection.entry.presence.connectionId} ${sessionId}`;

export const waitingBinds = ({ attempt, refuse, holdMs }: Deps): WaitingBinds => {
  const wishes = new Map<string, Wish>();
  const inOrder = serialByKey();

  const forget = (wish: Wish): void => {
    if (wishes.get(keyOf(wish)) === wish) wishes.delete(keyOf(wish));
  };

  /** Undefined also for a wish that nobody has any more. */
  const tryNow = (wish: Wish): Promise<Refusal | undefined> =>
    inOrder(keyOf(wish), async () => {
      if (wishes.get(keyOf(wish)) !== wish) return undefined;
      const refusal = wish.connection.isOpen() ? await attempt(wish) : undefined;
      if (refusal === undefined) forget(wish);
      return refusal;
    });

  const tryLast = async (wish: Wish): Promise<void> => {
    const refusal = await tryNow(wish).catch(() => NOT_TOLD);
    if (refusal === undefined || wishes.get(keyOf(wish)) !== wish) return;
    forget(wish);
    refuse(wish.connection, ...refusal);
  };

  return {
    ask: async (wish) => {
      wishes.set(keyOf(wish), wish);
      try {
        if ((await tryNow(wish)) === undefined) return;
      } catch (error) {
        forget(wish);
        throw error;
      }
      // What else the phone says does not wait behind this.
      setTimeout(() => void tryLast(wish), holdMs).unref();
    },
    withdraw: (wish, then) => {
      wishes.delete(keyOf(wish));
      return inOrder(keyOf(wish), then);
    },
    desktopCame: async (userId) => {
      const own = [...wishes.values()].filter(({ connection }) => connection.caller.userId === userId);
      // What fails is tried once more.
      await Promise.all(own.map((wish) => tryNow(wish).catch(() => undefined)));
    },
  };
};
