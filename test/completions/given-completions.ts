import { setTimeout as wait } from 'node:timers/promises';
import type { Answers } from '../../commands/completions/answers/answer.ts';
import { answers } from '../../commands/completions/answers/answers.ts';
import { answerKeeper } from '../../commands/completions/answers/keeper.ts';
import { completionClaim } from '../../commands/completions/claims/index.ts';
import { completions, type Completions } from '../../commands/completions/completions.ts';
import type { CompletionOrder } from '../../commands/completions/completion-order.ts';
import { defaultCompletionPolicy, type CompletionPolicy } from '../../commands/completions/policy.ts';
import { creditAccount } from '../../commands/credits/index.ts';
import { loadCatalogue } from '../../infra/catalogue/load-catalogue.ts';
import { countTokens } from '../../infra/tokenizer/count-tokens.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import type { KnownRequests } from '../../src/http/routes/llm/known-requests.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import type { ChatUpstream } from '../../src/kernel/upstream.ts';
import { givenRequests } from '../requests/given-requests.ts';
import { memoryAnswerLog, type MemoryAnswerLog } from '../support/memory-answer-log.ts';
import { memoryEventStore, type MemoryEventStore } from '../support/memory-event-store.ts';
import { memoryLogger, type LogLine } from '../support/memory-logger.ts';
import { ada } from '../support/given-http.ts';

export const catalogue = loadCatalogue({ embedded: true });

export const cause: Cause = {
  at: '2026-11-23T10:00:00.000Z',
  correlationId: '7b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f',
  causationId: '7b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f',
  actor: { kind: 'user', id: ada.userId },
};

export type GivenCompletions = Readonly<{
  completions: Completions;
  /** The same for clients who may ask twice. */
  answers: Answers;
  log: MemoryAnswerLog;
  /** Its requests as this instance knows them. */
  requests: KnownRequests;
  store: MemoryEventStore;
  lines: readonly LogLine[];
  /** The money events since the account was opened. */
  said: () => readonly CreditAccountEvent[];
  /** The last event of a type. */
  last: <T extends CreditAccountEvent['type']>(type: T) => Extract<CreditAccountEvent, { type: T }> | undefined;
  types: () => readonly string[];
}>;

/**
 * The command with this much credit for Ada, over the memory event store; `beside` another one it shares its stores, as a
 * second instance does. Closed by the caller.
 */
export const givenCompletions = async (
  upstream: ChatUpstream,
  options: Partial<CompletionPolicy> &
    Readonly<{ credit?: MicroUsd; lingerMs?: number; beside?: GivenCompletions; clock?: Clock }> = {},
): Promise<GivenCompletions> => {
  const { credit = 5_000_000n, lingerMs = 60_000, beside, clock = () => new Date(), ...policy } = options;
  const { logger, lines } = memoryLogger();
  const store = beside?.store ?? memoryEventStore();
  const log = beside?.log ?? memoryAnswerLog();
  const pause = (milliseconds: number): Promise<void> => wait(Math.min(milliseconds, 5));
  const credits = commandHandler(creditAccount, { store, logger, pause });
  const at = new Date().toISOString();
  await credits.handle(
    ada.userId,
    {
      type: 'OpenAccount',
      key: `account:${ada.userId}`,
      data: { userId: ada.userId, signupGrant: credit, grantExpiresAt: '2099-01-01T00:00:00.000Z', at },
    },
    { ...cause, at },
  );
  let ids = 0;
  const running = completions({
    credits,
    clock,
    logger,
    pause,
    policy: { ...defaultCompletionPolicy, ...policy },
    catalogue: () => catalogue,
    upstreams: (provider) => ([upstream.provider, 'sandbox', 'openai'].includes(provider) ? upstream : undefined),
    counter: { count: countTokens },
    newId: () => `0000000${beside === undefined ? 0 : 1}-0000-4000-8000-${(ids += 1).toString().padStart(12, '0')}`,
  });
  const repeatable = answers({
    completions: running,
    keeper: answerKeeper({ log, logger }),
    log,
    store,
    credits,
    claims: commandHandler(completionClaim, { store, logger, pause }),
    digestKey: 'a key of this test',
    lingerMs,
    headWaitMs: defaultCompletionPolicy.headWaitMs,
    clock,
    logger,
    pause,
  });
  const said = (): readonly CreditAccountEvent[] =>
    store
      .log()
      .filter(({ stream }) => stream.startsWith('creditAccount-'))
      .slice(2)
      .map(({ type, data }) => ({ type, data }) as CreditAccountEvent);
  return {
    completions: running,
    answers: repeatable,
    log,
    requests: givenRequests({ store, completions: running, pause, logger }),
    store,
    lines,
    said,
    last: (type) => said().findLast((event) => event.type === type) as never,
    types: () => said().map(({ type }) => type),
  };
};

/** An order of Ada's for the sandbox model. */
export const order = (text: string, over: Partial<CompletionOrder> = {}): CompletionOrder => ({
  userId: ada.userId,
  modelId: 'sandbox/echo',
  taskType: 'general',
  task: {
    messages: [{ role: 'user', parts: [{ type: 'text', text }] }],
    sampling: {},
    tools: [],
    maxTokens: 100,
  },
  streamed: true,
  ...over,
});

/** A client that never goes away. */
export const staying = (): AbortSignal => new AbortController().signal;
