import { StoreUnavailableError } from '../../src/kernel/event-store.ts';

/** What the client says of a call whose connection is cut in the wrong moment is nothing at all: it waits for ever. */
export const tookTooLong = (what: string): StoreUnavailableError => new StoreUnavailableError(`${what} took too long`);

/** Rejects when `work` takes longer than `patienceMs` milliseconds. */
export const inTime = async <T>(what: string, patienceMs: number, work: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(tookTooLong(what)), patienceMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

type Reading = Readonly<{ destroy: (error: Error) => unknown; cancel: () => Promise<void> }>;

/** Breaks a read off when it is silent for `patienceMs` milliseconds. `heard` is called for each event, `over` at the end. */
export const impatient = (
  what: string,
  patienceMs: number,
  reading: Reading,
): Readonly<{ heard: () => void; over: () => void }> => {
  const silence = setTimeout(() => {
    reading.destroy(tookTooLong(what));
    // The call behind it would stay open.
    void reading.cancel().catch(() => undefined);
  }, patienceMs);
  return { heard: () => void silence.refresh(), over: () => clearTimeout(silence) };
};
