import { uuidOf } from '../kernel/ids.ts';
import { FIRST_PUBLISHED_AT, firstDocuments } from '../../commands/consent/first-documents.ts';
import type { Consents } from '../../commands/consent/consents.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Cause } from '../kernel/message.ts';

type Deps = Readonly<{
  consents: Pick<Consents, 'seed'>;
  pause: (milliseconds: number) => Promise<void>;
  logger: Logger;
}>;

const LONGEST_PAUSE_MS = 5000;

/**
 * The build itself brings its documents. Several instances may start at the same time: what they say is the same to the
 * last bit, the time too, so that the store may take one for the other and the chain of hashes holds.
 */
const causeOf = (): Cause => {
  const id = uuidOf('first consent documents');
  return { at: FIRST_PUBLISHED_AT, correlationId: id, causationId: id, actor: { kind: 'system', id: 'system' } };
};

/** Has the build's documents in the log; tries again while the store is away. Resolves when done or stopped. */
export const seedDocuments = async ({ consents, pause, logger }: Deps, signal: AbortSignal): Promise<void> => {
  const stopped = (): boolean => signal.aborted;
  for (let wait = 100; !stopped(); wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    try {
      await consents.seed(firstDocuments, causeOf());
      return;
    } catch (error) {
      logger.warn({ err: error }, 'the documents to agree to are not published yet; trying again');
      await pause(wait);
    }
  }
};
