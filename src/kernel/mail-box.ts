/** A frame that waits for a device, and the short one that it gets in its place when there is no room. */
export type Mail = Readonly<{ frame: string; instead: string }>;

/** What became of mail for lack of room: how many older frames were shortened, and whether it is kept itself. */
export type MailReceipt = Readonly<{ shortened: number; isKept: boolean }>;

/** Mail, and until when it is of use, in milliseconds since the epoch. */
export type TimedMail = Mail & Readonly<{ deviceId: string; until: number }>;

/** Mail for the absent devices of one user, of which so much is kept and no more. */
export type MailBox = Readonly<{
  /** Mail is shortened, the oldest first, before any is refused. */
  keep: (mail: TimedMail) => MailReceipt;
  /** All that waits for a device, oldest first; it is gone afterwards. */
  take: (deviceId: string) => readonly string[];
  /** All that waits for anybody, oldest first; it is gone afterwards. */
  takeAll: () => readonly TimedMail[];
  /** Lets go of what is too old. */
  sweep: () => void;
  bytes: () => number;
  size: () => number;
}>;

/** A single piece may be as large as it likes: frames have a limit of their own. */
export type MailLimits = Readonly<{ pieces: number; bytes: number }>;

const sizeOf = ({ frame, instead, deviceId }: TimedMail): number =>
  Buffer.byteLength(frame) + Buffer.byteLength(instead) + deviceId.length;

const shortForm = (mail: TimedMail): TimedMail => ({ ...mail, frame: mail.instead, instead: '' });

/** An empty mailbox. */
export const mailBox = (limits: MailLimits, now: () => number): MailBox => {
  let waiting: TimedMail[] = [];
  let bytes = 0;
  /** So many of the oldest are short. */
  let short = 0;

  const leave = (isLeft: (mail: TimedMail) => boolean): void => {
    waiting = waiting.filter(isLeft);
    bytes = waiting.reduce((sum, mail) => sum + sizeOf(mail), 0);
    short = waiting.findIndex(({ instead }) => instead !== '');
    if (short < 0) short = waiting.length;
  };

  const sweep = (): void => {
    const at = now();
    if (waiting.some(({ until }) => until <= at)) leave(({ until }) => until > at);
  };

  /** Makes room for so many bytes, as far as that is possible; answers how many pieces it took. */
  const shorten = (size: number): number => {
    const before = short;
    for (let old = waiting[short]; old !== undefined && bytes + size > limits.bytes; old = waiting[short]) {
      const left = shortForm(old);
      waiting[short] = left;
      bytes += sizeOf(left) - sizeOf(old);
      short += 1;
    }
    return short - before;
  };

  return {
    keep: (mail) => {
      sweep();
      if (waiting.length >= limits.pieces) return { shortened: 0, isKept: false };
      const size = sizeOf(mail);
      const shortened = shorten(size);
      // Nothing but short ones, and still too much.
      if (bytes > limits.bytes) return { shortened, isKept: false };
      waiting.push(mail);
      bytes += size;
      return { shortened, isKept: true };
    },
    take: (deviceId) => {
      sweep();
      const own = waiting.filter((mail) => mail.deviceId === deviceId);
      leave((mail) => mail.deviceId !== deviceId);
      return own.map(({ frame }) => frame);
    },
    takeAll: () => {
      sweep();
      const all = waiting;
      leave(() => false);
      return all;
    },
    sweep,
    bytes: () => bytes,
    size: () => waiting.length,
  };
};
