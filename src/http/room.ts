import { DomainError } from '../kernel/errors.ts';

/** What one request has of a room. */
export type Share = Readonly<{
  /**
   * Makes the share this large, in bytes; it never becomes smaller. Throws DomainErrors `rate_limit_error` when the owner
   * has too much already and `service_unavailable` when all have; the share is as before then.
   */
  grow: (bytes: number) => void;
  /** Gives everything back, once; nothing can be taken afterwards. */
  giveBack: () => void;
}>;

/** Shares of one bound for a user, or an address where there is no user. */
export type Room = (owner: string) => Share;

export type RoomOptions = Readonly<{
  /** All that may be taken at once. */
  mostBytes: number;
  /** What is being bounded, for the refused caller. */
  what: string;
  /** So much of every share is not counted. */
  freeBytes?: number;
}>;

/** What one owner may have of a room: a quarter of it, so that one cannot starve the others. */
const OWNERS_PART = 4;
const WAIT_SECONDS = 5;

const tooMuch = (type: 'rate_limit_error' | 'service_unavailable', detail: string): DomainError =>
  new DomainError(type, `${detail}; wait and send it again`, {
    details: { retry_after_seconds: WAIT_SECONDS },
    retryAfterSeconds: WAIT_SECONDS,
  });

/**
 * A bound on bytes that are held at once, by all requests and by each owner. A request that is larger than a bound by
 * itself passes when it is alone below that bound: it could never be sent otherwise.
 */
export const roomOf = ({ mostBytes, what, freeBytes = 0 }: RoomOptions): Room => {
  const byOwner = new Map<string, number>();
  let all = 0;

  const isOver = (others: number, wanted: number, most: number): boolean => others > 0 && others + wanted > most;

  return (owner) => {
    let mine = 0;
    let isOpen = true;
    const become = (bytes: number): void => {
      const owned = (byOwner.get(owner) ?? 0) - mine + bytes;
      if (owned === 0) byOwner.delete(owner);
      else byOwner.set(owner, owned);
      all += bytes - mine;
      mine = bytes;
    };
    return {
      grow: (bytes) => {
        const wanted = bytes <= freeBytes ? 0 : bytes;
        if (!isOpen || wanted <= mine) return;
        if (isOver((byOwner.get(owner) ?? 0) - mine, wanted, mostBytes / OWNERS_PART)) {
          throw tooMuch('rate_limit_error', `too much of yours is on its way already, in ${what}`);
        }
        if (isOver(all - mine, wanted, mostBytes)) {
          throw tooMuch('service_unavailable', `there is no room just now for more, in ${what}`);
        }
        become(wanted);
      },
      giveBack: () => {
        if (isOpen) become(0);
        isOpen = false;
      },
    };
  };
};

/** A room without walls, for who has no need of them. */
export const boundlessRoom: Room = () => ({ grow: () => undefined, giveBack: () => undefined });
