import { mailBox, type MailBox, type MailReceipt, type TimedMail } from '../../kernel/mail-box.ts';

/** Mail that waits for the relay to come back, by user. */
export type Unposted = Readonly<{
  keep: (userId: string, mail: TimedMail) => MailReceipt;
  /** All that waits and is still of use; it is gone afterwards. */
  takeAll: () => readonly (TimedMail & Readonly<{ userId: string }>)[];
  size: () => number;
}>;

const OF_A_USER = { pieces: 1_000, bytes: 16 * 1024 * 1024 };
const OF_ALL_BYTES = 256 * 1024 * 1024;

/** So much waits of each user, and no more than this process can bear of all. */
export const unposted = (now: () => number): Unposted => {
  const users = new Map<string, MailBox>();
  let bytes = 0;
  return {
    keep: (userId, mail) => {
      if (bytes > OF_ALL_BYTES) return { shortened: 0, isKept: false };
      const box = users.get(userId) ?? mailBox(OF_A_USER, now);
      users.set(userId, box);
      const before = box.bytes();
      const receipt = box.keep(mail);
      bytes += box.bytes() - before;
      return receipt;
    },
    takeAll: () => {
      const all = [...users].flatMap(([userId, box]) => box.takeAll().map((mail) => ({ userId, ...mail })));
      users.clear();
      bytes = 0;
      return all;
    },
    size: () => [...users.values()].reduce((sum, box) => sum + box.size(), 0),
  };
};
