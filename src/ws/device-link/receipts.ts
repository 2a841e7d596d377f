import { usualTiming } from './timing.ts';

/** A frame that must not be lost, and when it was sent, in milliseconds. */
export type KeptFrame = Readonly<{ frame: string; at: number }>;

type Sent = KeptFrame & Readonly<{ number: number; bytes: number; key: string | undefined }>;

/**
 * Which frames a client has not been heard to have got. The protocol has no word for that, but a client answers pings in
 * order: what was sent before a ping that it has answered, it has got. So is what was sent before a call that it answers.
 */
export type Receipts = Readonly<{
  /** To be called with each frame that must not be lost, when it has been handed to the socket. */
  note: (frame: string, bytes: number, key: string | undefined) => void;
  /** To be called with the key of a frame that the client was heard to have got. */
  settle: (key: string) => void;
  /** Asks with a ping, when something is open for which it is time, and no ping is under way. */
  ask: () => void;
  /** To be called with the payload of each pong. */
  answered: (payload: string) => void;
  /** True when so much is open that nothing more should be sent until the client was heard to have got some of it. */
  isFull: () => boolean;
  /** What the client may not have got, oldest first; it is forgotten here. */
  takeBack: () => readonly KeptFrame[];
}>;

const PREFIX = 'got ';
/** A client of which so much is open is asked again at once, others every now and then. */
const ASK_FRAMES = 8;
const ASK_BYTES = 256 * 1024;
const MOST_BYTES = 8 * 1024 * 1024;
const MOST_FRAMES = 2_000;
/** An answer that comes twice harms nobody, a call may be carried out twice: answers are asked for so much more rarely. */
const ANSWERS_WAIT = 5;

export const receipts = (
  ping: (payload: string) => void,
  now: () => number,
  askEveryMs = usualTiming.confirmEveryMs,
): Receipts => {
  let open: Sent[] = [];
  const numbers = new Map<string, number>();
  let bytes = 0;
  let count = 0;
  let asked: number | undefined;
  let askedAt = -Infinity;

  const isTime = (): boolean => now() - askedAt >= askEveryMs * ANSWERS_WAIT;

  const askNow = (): void => {
    if (open.length === 0 || asked !== undefined) return;
    asked = count;
    askedAt = now();
    ping(PREFIX + String(count));
  };

  const forget = ({ bytes: size, key }: Sent): void => {
    bytes -= size;
    if (key !== undefined) numbers.delete(key);
  };

  const forgetUpTo = (number: number): void => {
    const first = open.findIndex((sent) => sent.number > number);
    open.splice(0, first < 0 ? open.length : first).forEach(forget);
  };

  return {
    note: (frame, size, key) => {
      count += 1;
      open.push({ frame, at: now(), number: count, bytes: size, key });
      bytes += size;
      if (key !== undefined) numbers.set(key, count);
      // The first is asked for at once, for connections may be short; but most calls are answered sooner than a ping.
      if (bytes > ASK_BYTES || (key === undefined && isTime())) askNow();
    },
    settle: (key) => {
      const number = numbers.get(key);
      if (number !== undefined) forgetUpTo(number);
    },
    ask: () => {
      if (numbers.size > 0 || isTime()) askNow();
    },
    answered: (payload) => {
      if (asked === undefined || payload !== PREFIX + String(asked)) return;
      forgetUpTo(asked);
      asked = undefined;
      if (open.length >= ASK_FRAMES || bytes > ASK_BYTES) askNow();
    },
    isFull: () => bytes >= MOST_BYTES || open.length >= MOST_FRAMES,
    takeBack: () => {
      const back = open;
      open = [];
      bytes = 0;
      numbers.clear();
      return back;
    },
  };
};
