import { setTimeout as wait } from 'node:timers/promises';

/** Waits until `probe` answers something, asking often; rejects after `limitMs`. */
export const eventually = async <T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  limitMs = 5000,
): Promise<T> => {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const seen = await probe();
    if (seen !== undefined) return seen;
    if (Date.now() > deadline) throw new Error(`did not happen within ${limitMs} ms: ${what}`);
    await wait(5);
  }
};
