import { setTimeout as wait } from 'node:timers/promises';
import { completions, type CompletionDeps, type Completions } from '../../commands/completions/completions.ts';
import type { LedgerDeps } from '../../commands/completions/ledger.ts';
import type { Attempt, Job, Plan } from '../../commands/completions/plan.ts';
import { defaultCompletionPolicy, type CompletionPolicy } from '../../commands/completions/policy.ts';
import type { CompletionSink, RunningCompletion } from '../../commands/completions/running-completion.ts';
import { creditAccount } from '../../commands/credits/index.ts';
import { countTokens } from '../../infra/tokenizer/count-tokens.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import type { Disconnect } from '../../src/kernel/catalogue.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import type { TokenCounter } from '../../src/kernel/tokens-estimate.ts';
import {
  UpstreamError,
  type UpstreamEvent,
  type UpstreamFailure,
  type UsageLookUp,
} from '../../src/kernel/upstream.ts';
import { ada } from '../support/given-http.ts';
import { memoryEventStore, type MemoryEventStore } from '../support/memory-event-store.ts';
import { memoryLogger, type LogLine } from '../support/memory-logger.ts';
import { catalogue, cause } from './given-completions.ts';
import { scriptedUpstream, type Step } from './scripted-upstream.ts';

/** What a provider does when it is asked: refuses, or answers by a script once it has accepted. */
export type Told =
  | Readonly<{ refuse: UpstreamFailure; status?: number; retryAfterMs?: number }>
  | Readonly<{ say: readonly Step[]; accept?: Promise<void> }>;

export type ScriptedAttempt = Attempt & Readonly<{ calls: () => number; aborts: () => number }>;

/** A provider that is told what to do, call by call; then it does the last thing again. */
export const attempt = (
  provider: string,
  told: readonly Told[],
  over: Partial<Disconnect> & Readonly<{ lookUp?: UsageLookUp }> = {},
): ScriptedAttempt => {
  const { policy = 'count', limitSeconds = 5, lookUp } = over;
  let calls = 0;
  let aborts = 0;
  return {
    provider,
    model: `${provider}-model`,
    disconnect: { policy, limitSeconds },
    calls: () => calls,
    aborts: () => aborts,
    ...(lookUp === undefined ? {} : { lookUp }),
    call: async ({ signal }) => {
      const next = told[Math.min(calls, told.length - 1)];
      calls += 1;
      signal.addEventListener('abort', () => (aborts += 1));
      await Promise.resolve();
      if (next === undefined) throw new Error('told nothing');
      if ('refuse' in next) {
        const { refuse: kind, status, retryAfterMs } = next;
        throw new UpstreamError({ provider, kind, status, retryAfterMs });
      }
      return scriptedUpstream(next.say, next.accept).stream({} as never, { signal });
    },
  };
};

/** Counts what it is given. */
export const listening = (): CompletionSink & Readonly<{ heard: UpstreamEvent[]; words: () => string }> => {
  const heard: UpstreamEvent[] = [];
  return {
    heard,
    words: () => heard.map((event) => (event.type === 'text' ? event.text : '')).join(''),
    take: (batch) => void heard.push(...batch),
  };
};

export const PROMPT_TOKENS = 1_000;

const price = catalogue.models.find(({ id }) => id === 'sandbox/echo')!.price;

/** A job of Ada's that these providers may do. */
const jobFor = (attempts: readonly [Attempt, ...Attempt[]], streamed = true): Job => ({
  userId: ada.userId,
  streamed,
  plan: (requestId): Promise<Plan> =>
    Promise.resolve({
      requestId,
      userId: ada.userId,
      modelId: 'sandbox/echo',
      work: {
        kind: 'chat',
        taskType: 'general',
        modelId: 'sandbox/echo',
        provider: attempts[0].provider,
        priceVersion: 'v1',
        streamed,
      },
      price,
      promptTokens: PROMPT_TOKENS,
      estimate: 10_000n,
      margin: 5_000n,
      attempts,
    }),
});

type Options = Partial<CompletionPolicy> &
  Readonly<{
    credit?: MicroUsd;
    pause?: (milliseconds: number) => Promise<void>;
    count?: TokenCounter['count'];
    store?: MemoryEventStore;
    /** Requests are numbered from here. */
    firstId?: number;
    /** Instead of none. */
    offered?: Pick<CompletionDeps, 'catalogue' | 'upstreams'>;
  }>;

export type GivenAttempts = Readonly<{
  completions: Completions;
  store: MemoryEventStore;
  lines: readonly LogLine[];
  begin: (streamed?: boolean, gone?: AbortSignal) => Promise<RunningCompletion>;
  types: () => readonly string[];
  /** The last event of a type. */
  last: <T extends CreditAccountEvent['type']>(type: T) => Extract<CreditAccountEvent, { type: T }> | undefined;
  /** What is on hold and what Ada has, after the last event. */
  standing: () => Readonly<{ held: string; promo: string }>;
}>;

/** Opens Ada's account. */
const openAccount = (credits: LedgerDeps['credits'], signupGrant: MicroUsd) => {
  const at = new Date().toISOString();
  const { userId } = ada;
  const data = { userId, signupGrant, grantExpiresAt: '2099-01-01T00:00:00.000Z', at };
  return credits.handle(userId, { type: 'OpenAccount', key: `account:${userId}`, data }, { ...cause, at });
};

/** The command for a job that these providers may do, over the memory event store. Closed by the caller. */
export const givenAttempts = async (
  attempts: readonly [Attempt, ...Attempt[]],
  options: Options = {},
): Promise<GivenAttempts> => {
  const shortly = (milliseconds: number): Promise<void> => wait(Math.min(milliseconds, 5));
  const {
    credit = 5_000_000n,
    pause = shortly,
    count = countTokens,
    store = memoryEventStore(),
    firstId = 1,
    offered = { catalogue: () => catalogue, upstreams: () => undefined },
    ...policy
  } = options;
  const { logger, lines } = memoryLogger();
  const credits = commandHandler(creditAccount, { store, logger, pause: shortly });
  await openAccount(credits, credit);
  let ids = firstId - 1;
  const running = completions({
    credits,
    clock: () => new Date(),
    logger,
    pause,
    policy: { ...defaultCompletionPolicy, ...policy },
    ...offered,
    counter: { count },
    newId: () => `00000000-0000-4000-8000-${(ids += 1).toString().padStart(12, '0')}`,
  });
  const said = (): readonly CreditAccountEvent[] =>
    store
      .log()
      .slice(2)
      .map(({ type, data }) => ({ type, data }) as CreditAccountEvent);
  return {
    completions: running,
    store,
    lines,
    begin: (streamed = true, gone = new AbortController().signal) =>
      running.run(jobFor(attempts, streamed), cause, gone),
    types: () => said().map(({ type }) => type),
    last: (type) => said().findLast((event) => event.type === type) as never,
    standing: () => {
      const { held, promo } = said().at(-1)!.data.after;
      return { held, promo };
    },
  };
};
