import { uuidOf } from '../kernel/ids.ts';
import { firstDocuments } from '../../commands/consent/first-documents.ts';
import type { Consents } from '../../commands/consent/consents.ts';
import { isoOf, type Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Cause } from '../kernel/message.ts';

type Deps = Readonly<{
  consents: Pick<Consents, 'seed'>;
  clock: Clock;
  pause: (milliseconds: number) => Promise<void>;
  logger: Logger;
}>;

const LONGEST_PAUSE_MS = 5000;

/** The build itself brings its documents. */
const causeAt = (at: string): Cause => {
  const id = uuidOf(`first consent documents ${at}`);
  return { at, correlationId: id, causationId: id, actor: { kind: 'system', id: 'system' } };
};

/** Has the build's documents in the log; tries again while the store is away. Resolves when done or stopped. */
export const seedDocuments = async ({ consents, clock, pause, logger }: Deps, signal: AbortSignal): Promise<void> => {
  const stopped = (): boolean => signal.aborted;
  for (let wait = 100; !stopped(); wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    try {
      await consents.seed(firstDocuments, causeAt(isoOf(clock())));
      return;
    } catch (error) {
      logger.warn({ err: error }, 'the documents to agree to are not published yet; trying again');
      await pause(wait);
    }
  }
};
