import { MAIL_SECONDS } from '../../src/kernel/relay.ts';
import { MOST_MAIL, MOST_MAIL_BYTES } from './limits.ts';

type Mail = Readonly<{ deviceId: string; frame: string; bytes: number; until: number }>;

/** What waits in memory for the absent devices of one user. */
export type MailKeep = Readonly<{
  keep: (deviceId: string, frame: string) => void;
  /** All that waits for a device, oldest first; it is gone afterwards. */
  take: (deviceId: string) => readonly string[];
  /** Lets go of what is too old. */
  sweep: () => void;
  bytes: () => number;
}>;

export const mailKeep = (now: () => number): MailKeep => {
  let waiting: Mail[] = [];
  let bytes = 0;

  const leave = (isLeft: (mail: Mail) => boolean): void => {
    waiting = waiting.filter(isLeft);
    bytes = waiting.reduce((sum, mail) => sum + mail.bytes, 0);
  };

  return {
    keep: (deviceId, frame) => {
      const size = Buffer.byteLength(frame) + deviceId.length;
      waiting.push({ deviceId, frame, bytes: size, until: now() + MAIL_SECONDS * 1_000 });
      bytes += size;
      while (waiting.length > MOST_MAIL || (bytes > MOST_MAIL_BYTES && waiting.length > 1)) {
        bytes -= waiting.shift()?.bytes ?? 0;
      }
    },
    take: (deviceId) => {
      const at = now();
      const own = waiting.filter((mail) => mail.deviceId === deviceId && mail.until > at);
      leave((mail) => mail.deviceId !== deviceId);
      return own.map(({ frame }) => frame);
    },
    sweep: () => {
      const at = now();
      if (waiting.some(({ until }) => until <= at)) leave(({ until }) => until > at);
    },
    bytes: () => bytes,
  };
};
