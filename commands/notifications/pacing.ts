/** Whether a push goes out now, or a newer one has taken its place. */
export type Admission = 'go' | 'superseded';

/** How many at once, and one more after how many milliseconds. */
type Bucket = Readonly<{ burst: number; everyMs: number; mostWaiting: number }>;

/** Apple delivers few silent pushes an hour and drops those of a flood: fewer that are newer reach more. */
export const PACE: Readonly<Record<'alert' | 'silent', Bucket>> = {
  alert: { burst: 20, everyMs: 3000, mostWaiting: 40 },
  silent: { burst: 4, everyMs: 20_000, mostWaiting: 4 },
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
type Line = { room: number; at: number; waiting: Waiting[]; moving: boolean };

type Deps = Readonly<{
  /** Milliseconds of any clock that only goes forward. */
  now: () => number;
  /** Resolves after so many milliseconds of that clock. */
  wait: (milliseconds: number) => Promise<void>;
}>;

const MOST_LINES = 20_000;

/** A token bucket for each device and lane, in this process. */
export const pushPace = ({ now, wait }: Deps): Pace => {
  const lines = new Map<string, Line>();

  const refill = (line: Line, { burst, everyMs }: Bucket): void => {
    const time = now();
    line.room = Math.min(burst, line.room + (time - line.at) / everyMs);
    line.at = time;
  };

  /** Lines that are full again say no more than no line. */
  const forget = (): void => {
    for (const [key, line] of lines) {
      const bucket = key.startsWith('alert') ? PACE.alert : PACE.silent;
      refill(line, bucket);
      if (!line.moving && line.room >= bucket.burst) lines.delete(key);
    }
  };

  const lineOf = (device: string, lane: Lane): Line => {
    const key = `${lane}:${device}`;
    const known = lines.get(key);
    if (known !== undefined) return known;
    if (lines.size >= MOST_LINES) forget();
    const line = { room: PACE[lane].burst, at: now(), waiting: [], moving: false };
    lines.set(key, line);
    return line;
  };

  const move = async (line: Line, bucket: Bucket): Promise<void> => {
    line.moving = true;
    while (line.waiting.length > 0) {
      refill(line, bucket);
      // Time is counted in fractions: what lacks a billionth is there.
      if (line.room >= 1 - 1e-9) {
        line.room -= 1;
        line.waiting.shift()?.decide('go');
      } else {
        await wait(Math.ceil((1 - line.room) * bucket.everyMs));
      }
    }
    line.moving = false;
  };

  const leave = (line: Line, waiting: Waiting): void => {
    const index = line.waiting.indexOf(waiting);
    if (index >= 0) line.waiting.splice(index, 1);
  };

  const supersede = (line: Line, lane: Lane, { collapseId }: Waiting): void => {
    const older = lane === 'silent' ? line.waiting.find((other) => other.collapseId === collapseId) : undefined;
    const full = line.waiting.length >= PACE[lane].mostWaiting ? line.waiting[0] : undefined;
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
        const line = lineOf(device, lane);
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
        line.waiting.push(waiting);
        if (!line.moving) void move(line, PACE[lane]);
      }),
  };
};
