import type { AnswerHead, AnswerLog } from '../../src/kernel/answer-log.ts';
import { DatabaseUnavailableError } from '../../src/kernel/query.ts';
import type { UpstreamEvent } from '../../src/kernel/upstream.ts';

type Kept = { head: AnswerHead; events: UpstreamEvent[]; over: unknown; seenAt: number; followedUntil: number };

const promised = <T>(work: () => T): Promise<T> =>
  new Promise((resolve) => {
    resolve(work());
  });

export type MemoryAnswerLog = AnswerLog &
  Readonly<{
    /** From now on nothing can be asked, or it can again. */
    away: (isAway: boolean) => void;
    /** Forgets an answer, as time does. */
    forget: (requestId: string) => void;
    /** As if the owner had last been heard of so long ago. */
    silence: (requestId: string, milliseconds: number) => void;
    kept: (requestId: string) => Readonly<Kept> | undefined;
    writes: () => number;
  }>;

/** Recorded answers in memory, as JSON, for the tests of those who keep and read them. */
export const memoryAnswerLog = (): MemoryAnswerLog => {
  const all = new Map<string, Kept>();
  let isAway = false;
  let writes = 0;

  const reach = (): void => {
    if (isAway) throw new DatabaseUnavailableError('away');
  };

  return {
    write: (news) =>
      promised(() => {
        reach();
        writes += 1;
        const followed = new Set<string>();
        for (const { head, from, events, over } of news) {
          const kept = all.get(head.requestId) ?? { head, events: [], over: undefined, seenAt: 0, followedUntil: 0 };
          all.set(head.requestId, kept);
          kept.events.splice(from, kept.events.length, ...(JSON.parse(JSON.stringify(events)) as UpstreamEvent[]));
          kept.over ??= over === undefined ? undefined : JSON.parse(JSON.stringify(over));
          kept.seenAt = Date.now();
          if (kept.followedUntil > Date.now()) followed.add(head.requestId);
        }
        return followed;
      }),
    read: (requestId, from) =>
      promised(() => {
        reach();
        const kept = all.get(requestId);
        if (kept === undefined) return undefined;
        const { head, events, over, seenAt } = kept;
        return { head, from, events: events.slice(from), over, silentMs: Date.now() - seenAt };
      }),
    follow: (requestId, seconds) =>
      promised(() => {
        reach();
        const kept = all.get(requestId);
        if (kept !== undefined) kept.followedUntil = Date.now() + seconds * 1_000;
      }),
    forgetUser: (userId) =>
      promised(() => {
        reach();
        const theirs = [...all.values()].filter(({ head }) => head.userId === userId);
        for (const { head } of theirs) all.delete(head.requestId);
        return theirs.length;
      }),
    sweep: (before) =>
      promised(() => {
        reach();
        const old = [...all.values()].filter(({ head }) => Date.parse(head.startedAt) < before.getTime());
        for (const { head } of old) all.delete(head.requestId);
        return old.length;
      }),
    away: (now) => {
      isAway = now;
    },
    forget: (requestId) => {
      all.delete(requestId);
    },
    silence: (requestId, milliseconds) => {
      const kept = all.get(requestId);
      if (kept !== undefined) kept.seenAt = Date.now() - milliseconds;
    },
    kept: (requestId) => all.get(requestId),
    writes: () => writes,
  };
};
