import type { Completions } from '../../commands/completions/completions.ts';
import { completionCancelAggregate } from '../../commands/completion-cancels/index.ts';
import { followCancels } from '../../commands/completion-cancels/follow-cancels.ts';
import { creditAccount } from '../../commands/credits/index.ts';
import { requestsProjection } from '../../projections/requests/requests.projection.ts';
import { requestsTable } from '../../projections/requests/requests.table.ts';
import { requestById, type RequestView } from '../../queries/requests/request-by-id.query.ts';
import { knownRequests, type KnownRequests } from '../../src/http/routes/llm/known-requests.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { silentLogger, type Logger } from '../../src/kernel/logger.ts';
import { memoryRows, projected } from '../billing/memory-rows.ts';
import type { MemoryEventStore } from '../support/memory-event-store.ts';

type Parts = Readonly<{
  store: MemoryEventStore;
  completions: Pick<Completions, 'find'>;
  pause: (milliseconds: number) => Promise<void>;
  logger?: Logger;
  clock?: () => Date;
  /** The read model; by default one that is never behind. */
  lookUp?: (requestId: string) => RequestView | undefined;
}>;

/** What the read model would say of a request, folded from the whole log at the moment of the question. */
const requestInLog = (store: MemoryEventStore, requestId: string): RequestView | undefined => {
  const { happen, rows } = memoryRows();
  for (const { stream, revision, type, data } of store.log()) {
    const isMoney = stream.startsWith('creditAccount-');
    if (isMoney) happen([requestsProjection], projected(stream, Number(revision), { type, data }));
  }
  const found = rows(requestsTable).filter((row) => row['request_id'] === requestId);
  return requestById(requestId).present(found as never);
};

/** The requests as one instance over this store knows them. */
export const givenRequests = (parts: Parts): KnownRequests => {
  const { store, completions, pause, logger = silentLogger, clock = () => new Date() } = parts;
  const lookUp = parts.lookUp ?? ((requestId: string) => requestInLog(store, requestId));
  const deps = { store, logger, pause };
  return knownRequests({
    completions,
    cancels: commandHandler(completionCancelAggregate, deps),
    credits: commandHandler(creditAccount, deps),
    lookUp: (requestId) => Promise.resolve(lookUp(requestId)),
    clock,
    pause,
  });
};

/** Lets an instance hear the cancels of others until the returned function is called. */
export const hearing = ({ store, completions, pause, logger = silentLogger }: Parts): (() => Promise<void>) => {
  const stopping = new AbortController();
  const following = followCancels({ store, completions, pause, logger }, stopping.signal);
  return () => {
    stopping.abort();
    return following;
  };
};
