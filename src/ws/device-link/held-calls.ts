import { DESKTOP_OFFLINE, type RpcError } from './frames.ts';
import type { Call } from './rpc.ts';

/** A call, and until when it may wait. */
export type WaitingCall = Call &
  Readonly<{
    /** Milliseconds since the epoch. */
    until: number;
    /** The one desktop that it may go to, because that one may have it already; absent: any. */
    target?: string;
    /** It waits however many wait, for its desktop may be carrying it out. */
    mayBeGot?: boolean;
  }>;

/** Calls that wait for a desktop that is reconnecting, each user's in their order. */
export type HeldCalls = Readonly<{
  /** False when too many wait. */
  hold: (call: WaitingCall) => boolean;
  /** True when calls of this device wait, which a later one must not overtake. */
  isHolding: (userId: string, clientId: string) => boolean;
  /** To be called when a desktop of the user has come. */
  wake: (userId: string) => Promise<void>;
  /** To be called when desktops may be in sight again that were not. */
  wakeAll: () => void;
  size: () => number;
}>;

type Deps = Readonly<{
  /** Undefined when a desktop has it, or why none has yet. Must not reject. */
  bring: (call: WaitingCall) => Promise<RpcError | undefined>;
  giveUp: (call: WaitingCall, why: RpcError) => Promise<unknown>;
  now: () => number;
}>;

/** What one user's devices may have waiting, besides what their desktops may have got: of that an outbox holds so much. */
const MOST_CALLS = 100;
const MOST_BYTES = 8 * 1024 * 1024;

export const heldCalls = ({ bring, giveUp, now }: Deps): HeldCalls => {
  const users = new Map<string, WaitingCall[]>();
  const draining = new Map<string, Promise<RpcError | undefined>>();

  const waitingOf = (userId: string): readonly WaitingCall[] => users.get(userId) ?? [];

  const remove = (call: WaitingCall): boolean => {
    const left = waitingOf(call.userId).filter((other) => other !== call);
    const wasThere = left.length < waitingOf(call.userId).length;
    if (left.length === 0) users.delete(call.userId);
    else users.set(call.userId, left);
    return wasThere;
  };

  /** Answers why the first that is left could not be brought. */
  const drain = async (userId: string): Promise<RpcError | undefined> => {
    for (let next = waitingOf(userId)[0]; next !== undefined; next = waitingOf(userId)[0]) {
      const why = await bring(next);
      if (why !== undefined) return why;
      remove(next);
    }
    return undefined;
  };

  const look = (userId: string): Promise<RpcError | undefined> => {
    const running = draining.get(userId);
    if (running !== undefined) return running;
    const run = drain(userId).finally(() => draining.delete(userId));
    draining.set(userId, run);
    return run;
  };

  /** Looks a last time. */
  const expire = async (call: WaitingCall): Promise<void> => {
    const why = await look(call.userId);
    if (remove(call)) await giveUp(call, why ?? DESKTOP_OFFLINE);
  };

  return {
    hold: (call) => {
      const waiting = waitingOf(call.userId);
      const bytes = waiting.reduce((sum, { frame }) => sum + frame.length, call.frame.length);
      const isTooMuch = waiting.length >= MOST_CALLS || (bytes > MOST_BYTES && waiting.length > 0);
      if (isTooMuch && call.mayBeGot !== true) return false;
      users.set(call.userId, [...waiting, call]);
      setTimeout(() => void expire(call), Math.max(0, call.until - now()));
      return true;
    },
    isHolding: (userId, clientId) => waitingOf(userId).some((call) => call.clientId === clientId),
    wake: async (userId) => {
      await look(userId);
    },
    wakeAll: () => {
      for (const userId of users.keys()) void look(userId);
    },
    size: () => {
      let size = 0;
      for (const waiting of users.values()) size += waiting.length;
      return size;
    },
  };
};
