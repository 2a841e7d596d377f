import type { Pacer } from '../../src/kernel/pacer.ts';

/** Whether a push goes out now, or a newer one has taken its place. */
export type Admission = 'go' | 'superseded';

/** How many at once, and one more after how many milliseconds. */
type Bucket = Readonly<{ burst: number; everyMs: number; mostWaiting: number }>;

/** Apple delivers few silent pushes an hour and drops those of a flood: fewer that are newer reach more. */
export const PACE: Readonly<Record<'alert' | 'silent', Bucket>> = {
  alert: { burst: 20, everyMs: 3000, mostWaiting: 60 },
  silent: { burst: 4, everyMs: 20_000, mostWaiting: 8 },
};

export type Lane = keyof typeof PACE;

/** Lets pushes to one device through at a pace that it bears. */
export type Pace = Readonly<{
  /**
   * Resolves when the push may go out. A waiting silent push is superseded by a newer one with the same `collapseId`, and
   * the oldest of all by one that finds too many waiting. Rejects when `signal` aborts.
   */
  admit: (device: string, lane: Lane, collapseId: string, signal: AbortSignal) => Promise<Admission>;
}>;

type Waiting = Readonly<{ collapseId: string; decide: (admission: Admission) => void }>;

type Deps = Readonly<{
  /** Shared by all instances: a device has one pace, however many send to it. */
  pacer: Pacer;
  /** Resolves after so many milliseconds; rejects when the server stops. */
  wait: (milliseconds: number) => Promise<void>;
}>;

/** Lines of pushes for each device and lane in this process; what may go is decided by the shared pacer. */
export const pushPace = ({ pacer, wait }: Deps): Pace => {
  /** Only those in which somebody waits. */
  const lines = new Map<string, Waiting[]>();

  const move = async (key: string, line: Waiting[], device: string, lane: Lane): Promise<void> => {
    const { burst, everyMs } = PACE[lane];
    const rule = { name: `push-${lane}`, burst, everyMs };
    try {
      while (line.length > 0) {
        const waitMs = await pacer.take(rule, device);
        if (waitMs === 0) line.shift()?.decide('go');
        else await wait(waitMs);
      }
    } catch {
      // The server stops: whoever waits is told so by a signal of its own.
    } finally {
      lines.delete(key);
    }
  };

  const leave = (line: Waiting[], waiting: Waiting): void => {
    const index = line.indexOf(waiting);
    if (index >= 0) line.splice(index, 1);
  };

  const supersede = (line: Waiting[], lane: Lane, { collapseId }: Waiting): void => {
    const older = lane === 'silent' ? line.find((other) => other.collapseId === collapseId) : undefined;
    const full = line.length >= PACE[lane].mostWaiting ? line[0] : undefined;
    const loser = older ?? full;
    if (loser === undefined) return;
    leave(line, loser);
    loser.decide('superseded');
  };

  return {
    admit: (device, lane, collapseId, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(new Error('stopped'));
          return;
        }
        const key = `${lane}:${device}`;
        const known = lines.get(key);
        const line = known ?? [];
        const stop = (): void => {
          leave(line, waiting);
          reject(new Error('stopped'));
        };
        const waiting: Waiting = {
          collapseId,
          decide: (admission) => {
            signal.removeEventListener('abort', stop);
            resolve(admission);
          },
        };
        signal.addEventListener('abort', stop, { once: true });
        supersede(line, lane, waiting);
        line.push(waiting);
        if (known !== undefined) return;
        lines.set(key, line);
        void move(key, line, device, lane);
      }),
  };
};
