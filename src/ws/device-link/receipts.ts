/** A frame that must not be lost, and when it was sent, in milliseconds. */
export type KeptFrame = Readonly<{ frame: string; at: number }>;

type Sent = KeptFrame & Readonly<{ number: number; bytes: number }>;

/**
 * Which frames a client has not been heard to have got. The protocol has no word for that, but a client answers pings in
 * order: what was sent before a ping that it has answered, it has got.
 */
export type Receipts = Readonly<{
  /** To be called with each frame that must not be lost, when it has been handed to the socket. */
  note: (frame: string, bytes: number) => void;
  /** Asks with a ping, when something is open and no ping is under way. */
  ask: () => void;
  /** To be called with the payload of each pong. */
  answered: (payload: string) => void;
  /** What the client may not have got, oldest first; it is forgotten here. */
  takeBack: () => readonly KeptFrame[];
}>;

const PREFIX = 'got ';
/** A client that is so far behind is asked at once; beyond the second number the oldest are forgotten. */
const ASK_BYTES = 256 * 1024;
const MOST_BYTES = 8 * 1024 * 1024;
const MOST_FRAMES = 2_000;

export const receipts = (ping: (payload: string) => void, now: () => number): Receipts => {
  let open: Sent[] = [];
  let bytes = 0;
  let count = 0;
  let asked: number | undefined;

  const ask = (): void => {
    if (open.length === 0 || asked !== undefined) return;
    asked = count;
    ping(PREFIX + String(count));
  };

  const forgetUpTo = (number: number): void => {
    const first = open.findIndex((sent) => sent.number > number);
    for (const gone of open.splice(0, first < 0 ? open.length : first)) bytes -= gone.bytes;
  };

  return {
    note: (frame, size) => {
      count += 1;
      open.push({ frame, at: now(), number: count, bytes: size });
      bytes += size;
      if (bytes > ASK_BYTES) ask();
      while (open.length > MOST_FRAMES || (bytes > MOST_BYTES && open.length > 1)) bytes -= open.shift()?.bytes ?? 0;
    },
    ask,
    answered: (payload) => {
      if (asked === undefined || payload !== PREFIX + String(asked)) return;
      forgetUpTo(asked);
      asked = undefined;
    },
    takeBack: () => {
      const back = open;
      open = [];
      bytes = 0;
      return back;
    },
  };
};
