import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import { completions, type Completions } from '../../commands/completions/completions.ts';
import type { CompletionOrder } from '../../commands/completions/completion-order.ts';
import { defaultCompletionPolicy } from '../../commands/completions/policy.ts';
import { creditAccount } from '../../commands/credits/index.ts';
import { anthropicUpstream } from '../../infra/providers/anthropic/anthropic-upstream.ts';
import { googleUpstream } from '../../infra/providers/google/google-upstream.ts';
import { openAiUpstream } from '../../infra/providers/openai/openai-upstream.ts';
import { openRouterUpstream } from '../../infra/providers/openrouter/openrouter-upstream.ts';
import { guarded, upstreamGuard } from '../../infra/providers/shared/upstream-guard.ts';
import { xaiUpstream } from '../../infra/providers/xai/xai-upstream.ts';
import { countTokens } from '../../infra/tokenizer/count-tokens.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { microOf } from '../../src/kernel/money.ts';
import { costOf } from '../../src/kernel/pricing.ts';
import { promptTokensOf } from '../../src/kernel/tokens-estimate.ts';
import { isUpstreamError, type ChatUpstream, type UpstreamEvent } from '../../src/kernel/upstream.ts';
import type { Usage } from '../../src/kernel/usage.ts';
import { atOnce } from '../support/at-once.ts';
import { chance } from '../support/chance.ts';
import { eventually } from '../support/eventually.ts';
import { ada } from '../support/given-http.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { memoryLogger } from '../support/memory-logger.ts';
import { catalogue, cause, order } from './given-completions.ts';
import { meteringUpstream, type BillingRule, type Case, type Point } from './metering/metering-upstream.ts';

type Provider = Readonly<{
  code: string;
  modelId: string;
  rule: BillingRule;
  policy: 'count' | 'drain' | 'look_up';
  make: (baseUrl: string) => ChatUpstream;
}>;

const clock = (): Date => new Date();
const apiKey = 'key';

const PROVIDERS: readonly Provider[] = [
  {
    code: 'openai',
    modelId: 'openai/gpt-4.1',
    rule: 'sent',
    policy: 'count',
    make: (baseUrl) => openAiUpstream({ apiKey, baseUrl, clock }),
  },
  {
    code: 'anthropic',
    modelId: 'anthropic/claude-sonnet-4-5-20250929',
    rule: 'sent',
    policy: 'count',
    make: (baseUrl) => anthropicUpstream({ apiKey, baseUrl, clock }),
  },
  {
    code: 'google',
    modelId: 'google/gemini-2.5-pro',
    rule: 'all',
    policy: 'drain',
    make: (baseUrl) => googleUpstream({ apiKeys: [apiKey], baseUrl, clock }),
  },
  {
    code: 'xai',
    modelId: 'xai/grok-4',
    rule: 'sent',
    policy: 'count',
    make: (baseUrl) => xaiUpstream({ apiKey, baseUrl, clock }),
  },
  {
    code: 'openrouter',
    modelId: 'moonshotai/kimi-k2',
    rule: 'made',
    policy: 'look_up',
    make: (baseUrl) => openRouterUpstream({ apiKey, baseUrl, clock }),
  },
];

const ABORTS = 1_000;
const AT_ONCE = 20;
const GRANT = 1_000_000_000n;
/** Another one is another thousand points. */
const SEED = 20_261_123;

/**
 * Words that are one token each, whatever stands around them: our count of a part of them and the provider's agree by
 * construction, so that every difference is one of policy.
 */
const WORDS = [' one', ' two', ' red', ' sun', ' tree', ' house', ' water', ' green', ' stone', ' bird'];

type Left = Case & Readonly<{ by: 'signal' | 'cancel'; order: CompletionOrder }>;

const casesFor = ({ code, modelId }: Provider): readonly Left[] => {
  const pick = chance(SEED);
  return Array.from({ length: ABORTS }, (_none, index) => {
    const words = Array.from({ length: 4 + pick(9) }, () => WORDS[pick(WORDS.length)]!);
    const inside = Array.from({ length: words.length }, (_nothing, place): Point => place + 1);
    // What Anthropic says first comes with its head.
    const heads: readonly Point[] = code === 'anthropic' ? ['begun'] : ['after the head', 'begun'];
    const points: readonly Point[] = ['before the head', ...heads, ...inside, words.length, 'ended'];
    const asked = order(`Case ${index}: say some words, please.`, { modelId, streamed: pick(4) > 0 });
    const prompt = promptTokensOf({ count: countTokens }, asked.task) as number;
    return {
      point: points[pick(points.length)]!,
      by: pick(2) === 0 ? 'signal' : 'cancel',
      order: asked,
      prompt,
      cached: pick(prompt),
      words,
      ahead: pick(3),
    };
  });
};

/** Orders, hears the answer up to the case's point and leaves. Resolves when that is settled. */
const leave = async (command: Completions, left: Left, index: number, upstream: Upstream): Promise<void> => {
  const gone = new AbortController();
  const go = (requestId: string): void => {
    if (left.by === 'signal') gone.abort();
    else void command.find(requestId)?.stop('cancel');
    upstream.left(index);
  };
  const opening = command.open(left.order, cause, gone.signal);
  if (left.point === 'before the head') {
    const requestId = await upstream.standsStill(index);
    const { settled } = command.find(requestId)!;
    go(requestId);
    await Promise.all([settled, opening.catch(() => undefined)]);
    return;
  }
  const running = await opening;
  let heard = 0;
  const take = (batch: readonly UpstreamEvent[]): undefined => {
    heard += batch.filter(({ type }) => type === 'text').length;
    const isThere = left.point === 'begun' ? batch.some(({ type }) => type === 'started') : heard === left.point;
    if (isThere) go(running.requestId);
  };
  const delivery = running.deliver({ take });
  if (left.point === 'after the head') go(running.requestId);
  await delivery;
  if (left.point === 'ended') go(running.requestId);
  await running.settled;
};

type Upstream = Awaited<ReturnType<typeof meteringUpstream>>;

const givenAccount = async () => {
  const { logger, lines } = memoryLogger();
  const store = memoryEventStore();
  const pause = (milliseconds: number): Promise<void> => wait(Math.min(milliseconds, 5));
  const credits = commandHandler(creditAccount, { store, logger, pause });
  const { userId } = ada;
  const data = { userId, signupGrant: GRANT, grantExpiresAt: '2099-01-01T00:00:00.000Z', at: cause.at };
  await credits.handle(userId, { type: 'OpenAccount', key: `account:${userId}`, data }, cause);
  const said = (): readonly CreditAccountEvent[] =>
    store.log().map(({ type, data: what }) => ({ type, data: what }) as CreditAccountEvent);
  return { credits, logger, lines, pause, said };
};

const requestIdOf = (event: CreditAccountEvent): string | undefined =>
  'reservationId' in event.data ? event.data.reservationId : undefined;

const tokensOf = ({ inputUncached, inputCachedRead, inputCacheWrite, outputVisible, outputReasoning }: Usage) => [
  ...[inputUncached, inputCachedRead, inputCacheWrite],
  ...[outputVisible, outputReasoning],
];

describe(`${ABORTS} answers that are left at points of chance`, function () {
  this.timeout(120_000);

  it('have words of one token each', () => {
    for (let length = 1; length <= WORDS.length; length += 1) {
      expect(countTokens(WORDS.slice(0, length).join(''))).to.equal(length);
      expect(countTokens(WORDS.toReversed().slice(0, length).join(''))).to.equal(length);
    }
  });

  for (const provider of PROVIDERS) {
    const { code, modelId, rule, policy } = provider;

    it(`cost what ${code} has on its meter, to the micro-dollar`, async () => {
      const { credits, logger, lines, pause, said } = await givenAccount();
      const cases = casesFor(provider);
      const upstream = await meteringUpstream(code, rule, cases);
      const limits = { maxConcurrent: 2 * AT_ONCE, maxQueued: 0, queueWaitMs: 0 };
      const patience = { failuresToOpen: 5, openMs: 10_000, longestRestMs: 60_000 };
      const guard = upstreamGuard({ ...limits, ...patience, provider: code, clock, logger });
      const adapter = guarded(provider.make(upstream.url), guard);
      let ids = 0;
      const command = completions({
        credits,
        clock,
        logger,
        pause,
        policy: { ...defaultCompletionPolicy, maxConcurrentPerUser: 2 * AT_ONCE },
        catalogue: () => catalogue,
        upstreams: (name) => (name === code ? adapter : undefined),
        counter: { count: countTokens },
        newId: () => `00000000-0000-4000-8000-${(ids += 1).toString().padStart(12, '0')}`,
      });
      try {
        await atOnce(ABORTS, AT_ONCE, (index) => leave(command, cases[index]!, index, upstream));
        // The meter learns of a closed connection a moment after it was closed.
        await eventually('every answer to be closed', () => (upstream.open() === 0 ? true : undefined));

        const { price } = catalogue.models.find(({ id }) => id === modelId)!;
        const ends = new Map(said().map((event) => [requestIdOf(event), event]));
        ends.delete(undefined);
        expect(ends.size).to.equal(ABORTS);
        let metered = 0n;
        for (const [requestId, event] of ends) {
          const usage = upstream.bills.get(requestId ?? '');
          const cost = usage === undefined ? 0n : costOf(usage, price).cost;
          metered += cost;
          expect(event.type, requestId).to.equal(usage === undefined ? 'ReservationReleased' : 'ReservationCaptured');
          if (event.type !== 'ReservationCaptured' || usage === undefined) continue;
          expect(tokensOf(event.data.metered.usage), requestId).to.deep.equal(tokensOf(usage));
          expect(microOf(event.data.metered.cost), requestId).to.equal(cost);
          expect(event.data.servedBy).to.deep.include({ provider: code, onDisconnect: policy, failed: [] });
          if (rule === 'all') expect(event.data.estimated).to.equal(false);
        }
        const { promo, held, shortfall } = said().at(-1)!.data.after;
        expect(GRANT - microOf(promo)).to.equal(metered);
        expect({ held, shortfall }).to.deep.equal({ held: '0', shortfall: '0' });

        expect([command.active(), guard.taken(), guard.waiting()]).to.deep.equal([0, 0, 0]);
        const faults = lines.filter(({ level, fields }) => level === 'error' || !isUpstreamError(fields['err']));
        expect(faults.map(({ message }) => message)).to.deep.equal([]);
      } finally {
        await command.shutdown({ graceMs: 0, limitMs: 5_000 });
        await adapter.close();
        await upstream.stop();
      }
    });
  }
});
