import { expect } from 'chai';
import type { CompletionSink, Ended } from '../../commands/completions/running-completion.ts';
import { isDomainError, type DomainError } from '../../src/kernel/errors.ts';
import type { UpstreamEvent } from '../../src/kernel/upstream.ts';
import { ada } from '../support/given-http.ts';
import { eventually } from '../support/eventually.ts';
import { cause, givenCompletions, order, staying, type GivenCompletions } from './given-completions.ts';
import { finished, scriptedUpstream, started, text, used } from './scripted-upstream.ts';

/** A client that keeps what it is given. */
const listening = (): CompletionSink & Readonly<{ heard: UpstreamEvent[] }> => {
  const heard: UpstreamEvent[] = [];
  return { heard, take: (batch) => void heard.push(...batch) };
};

const words = (heard: readonly UpstreamEvent[]): string =>
  heard.map((event) => (event.type === 'text' ? event.text : '')).join('');

const run = async (given: GivenCompletions, text = 'Hello', sink = listening()): Promise<Ended> => {
  const running = await given.completions.open(order(text), cause, staying());
  return running.deliver(sink);
};

const refusalOf = async (attempt: Promise<unknown>): Promise<DomainError> => {
  try {
    await attempt;
  } catch (error) {
    if (isDomainError(error)) return error;
    throw error;
  }
  return expect.fail('nothing was refused');
};

/** What is on hold and what the user has, after the last event. */
const standing = (given: GivenCompletions): { held: string; promo: string } => {
  const { held, promo } = given.said().at(-1)!.data.after;
  return { held, promo };
};

describe('a completion', () => {
  let given: GivenCompletions;
  afterEach(() => given.completions.shutdown({ graceMs: 0, limitMs: 1_000 }));

  describe('that the provider ends', () => {
    it('is charged by the final usage, in two appends', async () => {
      given = await givenCompletions(
        scriptedUpstream([started, text('Hi '), text('there'), used(1_000, 200), finished]),
      );
      const sink = listening();
      const ended = await run(given, 'Hello', sink);
      expect(words(sink.heard)).to.equal('Hi there');
      // 1,000 at 0.5 and 200 at 1.5 USD per million.
      expect(ended).to.include({ how: 'completed', endedBy: 'provider', finish: 'stop', estimated: false });
      expect(ended.charged).to.equal(800n);
      expect(given.types()).to.deep.equal(['FundsReserved', 'ReservationCaptured']);
      const captured = given.last('ReservationCaptured')!.data;
      expect(captured).to.include({ upstreamId: 'resp_1', estimated: false, finish: 'stop', late: false });
      expect(captured.metered).to.deep.include({
        cost: '800',
        rawUsage: { prompt_tokens: 1_000, completion_tokens: 200 },
      });
      expect(standing(given)).to.deep.equal({ held: '0', promo: '4999200' });
    });

    it('holds the estimate and half of it more before the provider is called', async () => {
      const upstream = scriptedUpstream([started, text('Hi'), used(5, 1), finished]);
      given = await givenCompletions(upstream);
      given.store.beforeAppend((_stream, [event]) => {
        if (event?.type === 'FundsReserved') expect(upstream.calls).to.have.length(0);
      });
      await run(given);
      const { estimate, margin, work } = given.last('FundsReserved')!.data;
      // 5 tokens in at 0.5, 100 out at 1.5 USD per million, rounded.
      expect({ estimate, margin }).to.deep.equal({ estimate: '152', margin: '76' });
      expect(work).to.include({ kind: 'chat', modelId: 'sandbox/echo', provider: 'sandbox', streamed: true });
    });

    it('holds a fixed margin when it searches the web', async () => {
      const upstream = scriptedUpstream([started, text('Hi'), used(5, 1), finished]);
      given = await givenCompletions(upstream);
      const running = await given.completions.open(
        order('Hello', { taskType: 'web_search_execution' }),
        cause,
        staying(),
      );
      await running.deliver(listening());
      expect(given.last('FundsReserved')!.data.margin).to.equal('1200000');
      expect(upstream.calls[0]).to.include({ webMode: true, model: 'echo' });
    });

    it('is charged by our own count when usage is missing, and says so', async () => {
      given = await givenCompletions(scriptedUpstream([started, text('one two three four'), finished]));
      const ended = await run(given);
      expect(ended).to.include({ how: 'completed', estimated: true });
      expect(ended.usage).to.include({ inputUncached: 5, outputVisible: 4, source: 'counted', complete: true });
      expect(given.last('ReservationCaptured')!.data).to.include({ estimated: true });
    });

    it('does not believe a usage of nothing beside an answer', async () => {
      given = await givenCompletions(scriptedUpstream([started, text('one two three'), used(0, 0), finished]));
      expect((await run(given)).usage).to.include({ outputVisible: 3, source: 'counted' });
    });

    it('keeps the text when the output limit was hit', async () => {
      const cut: UpstreamEvent = { type: 'finish', reason: 'length', native: 'incomplete' };
      given = await givenCompletions(scriptedUpstream([started, text('half an'), used(5, 2), cut]));
      expect(await run(given)).to.include({ how: 'completed', finish: 'length', estimated: false });
    });

    it('costs nothing when the model is free, and is on record all the same', async () => {
      given = await givenCompletions(scriptedUpstream([started, text('Hi'), used(5, 1), finished]), { credit: 0n });
      const running = await given.completions.open(order('Hello', { modelId: 'sandbox/free' }), cause, staying());
      expect((await running.deliver(listening())).charged).to.equal(0n);
      expect(given.last('ReservationCaptured')!.data.metered.cost).to.equal('0');
    });
  });

  describe('that is refused', () => {
    it('says so before the provider hears of it when credit is short', async () => {
      const upstream = scriptedUpstream([]);
      given = await givenCompletions(upstream, { credit: 100n });
      expect((await refusalOf(run(given))).errorType).to.equal('credit_insufficient');
      expect(upstream.calls).to.have.length(0);
    });

    for (const [what, over, errorType] of [
      ['a model that nobody knows', { modelId: 'acme/unheard-of' }, 'not_found'],
      ['a provider without a key', { modelId: 'xai/grok-4' }, 'configuration_error'],
      ['a model for speech', { modelId: 'openai/gpt-4o-transcribe' }, 'bad_request'],
    ] as const) {
      it(`refuses ${what}`, async () => {
        given = await givenCompletions(scriptedUpstream([]));
        const attempt = given.completions.open(order('Hello', over), cause, staying());
        expect((await refusalOf(attempt)).errorType).to.equal(errorType);
        expect(given.types()).to.deep.equal([]);
      });
    }

    it('names the context window when the prompt is too long', async () => {
      given = await givenCompletions(scriptedUpstream([]));
      const refusal = await refusalOf(run(given, 'word '.repeat(130_000)));
      expect(refusal.message).to.match(/^Bad request: context window exceeded/);
    });

    it('gives everything back when the provider does not accept', async () => {
      const upstream = scriptedUpstream([]);
      upstream.refuse('server');
      given = await givenCompletions(upstream);
      const refusal = await refusalOf(run(given));
      expect(refusal).to.include({ errorType: 'external_service_error' });
      expect(refusal.message).to.equal('External service error: sandbox failed; try again');
      expect(given.last('ReservationReleased')!.data.reason).to.equal('provider_failed');
      expect(standing(given)).to.deep.equal({ held: '0', promo: '5000000' });
      expect(given.completions.active()).to.equal(0);
    });

    it('lets a user run only so many at a time', async () => {
      given = await givenCompletions(scriptedUpstream([started, 'silence']), { maxConcurrentPerUser: 2 });
      const first = await given.completions.open(order('a'), cause, staying());
      await given.completions.open(order('b'), cause, staying());
      const refusal = await refusalOf(given.completions.open(order('c'), cause, staying()));
      expect(refusal).to.include({ errorType: 'rate_limit_error', retryAfterSeconds: 1 });
      await first.stop('cancel');
      await given.completions.open(order('d'), cause, staying());
      expect(given.completions.active()).to.equal(2);
    });
  });

  describe('whose client goes away', () => {
    it('stops the provider and charges prompt and text so far', async () => {
      const upstream = scriptedUpstream([started, text('one two three'), 'silence']);
      given = await givenCompletions(upstream);
      const leaving = new AbortController();
      const running = await given.completions.open(order('Hello'), cause, leaving.signal);
      const sink: CompletionSink = {
        take: ([first]) => {
          if (first?.type === 'text') leaving.abort();
          return undefined;
        },
      };
      const ended = await running.deliver(sink);
      expect(upstream.aborts()).to.equal(1);
      expect(ended).to.include({ how: 'gone', endedBy: 'client', estimated: true });
      expect(ended.usage).to.include({ inputUncached: 5, outputVisible: 3, complete: false });
      expect(given.last('ReservationCaptured')!.data).to.include({ endedBy: 'client', estimated: true });
      expect(standing(given).held).to.equal('0');
      expect(given.completions.active()).to.equal(0);
    });

    it('charges the prompt even when nothing was said yet', async () => {
      given = await givenCompletions(scriptedUpstream(['silence']));
      const leaving = new AbortController();
      const running = await given.completions.open(order('word '.repeat(100)), cause, leaving.signal);
      leaving.abort();
      const ended = await running.settled;
      expect(ended.charged > 0n).to.equal(true);
      expect(given.types()).to.deep.equal(['FundsReserved', 'ReservationCaptured']);
    });

    it('gives everything back when the provider had not accepted', async () => {
      given = await givenCompletions(scriptedUpstream([], new Promise(() => undefined)));
      const leaving = new AbortController();
      const opening = given.completions.open(order('Hello'), cause, leaving.signal);
      await eventually('a running request', () => (given.completions.active() === 1 ? true : undefined));
      leaving.abort();
      await opening.then(
        () => expect.fail('it was opened'),
        (error: unknown) => expect(error).to.include({ name: 'AbortError' }),
      );
      expect(given.last('ReservationReleased')!.data.reason).to.equal('cancelled_before_start');
    });

    it('changes nothing when the answer was whole', async () => {
      const leaving = new AbortController();
      given = await givenCompletions(
        scriptedUpstream([started, text('done'), used(5, 1), finished, { run: () => leaving.abort() }]),
      );
      const running = await given.completions.open(order('Hello'), cause, leaving.signal);
      expect(await running.deliver(listening())).to.include({
        how: 'completed',
        endedBy: 'provider',
        estimated: false,
      });
    });

    it('is not read faster than it takes', async () => {
      const asked: string[] = [];
      given = await givenCompletions(
        scriptedUpstream([
          text('first'),
          { run: () => void asked.push('second') },
          text('second'),
          used(5, 2),
          finished,
        ]),
      );
      const gate = Promise.withResolvers<undefined>();
      const running = await given.completions.open(order('Hello'), cause, staying());
      const delivery = running.deliver({ take: () => gate.promise });
      await new Promise((resolve) => setImmediate(resolve));
      expect(asked).to.deep.equal([]);
      gate.resolve(undefined);
      await delivery;
      expect(asked).to.deep.equal(['second']);
    });
  });

  describe('that breaks', () => {
    it('is charged for the text that was delivered', async () => {
      given = await givenCompletions(scriptedUpstream([started, text('one two'), { fail: 'network' }]));
      const ended = await run(given);
      expect(ended).to.include({ how: 'failed', finish: 'error', estimated: true });
      expect(ended.usage).to.include({ outputVisible: 2 });
    });

    it('costs nothing when nothing was said', async () => {
      given = await givenCompletions(scriptedUpstream([started, { fail: 'server' }]));
      expect(await run(given)).to.include({ how: 'failed', charged: 0n, usage: undefined });
      expect(given.last('ReservationReleased')!.data.reason).to.equal('provider_failed');
    });

    it('costs nothing when the client was to have it in one piece', async () => {
      given = await givenCompletions(scriptedUpstream([started, text('one two'), { fail: 'network' }]));
      const running = await given.completions.open(order('Hello', { streamed: false }), cause, staying());
      expect(await running.deliver(listening())).to.include({ how: 'failed', charged: 0n });
    });

    it('is settled when the client throws', async () => {
      given = await givenCompletions(scriptedUpstream([started, text('one two'), 'silence']));
      const running = await given.completions.open(order('Hello'), cause, staying());
      const ended = await running.deliver({
        take: () => {
          throw new Error('a bug of ours');
        },
      });
      expect(ended.how).to.equal('failed');
      expect(standing(given).held).to.equal('0');
    });
  });

  describe('that is cancelled', () => {
    it('hands nothing more on and charges what there was', async () => {
      const upstream = scriptedUpstream([started, text('one two'), 'silence']);
      given = await givenCompletions(upstream);
      const running = await given.completions.open(order('Hello'), cause, staying());
      const sink = listening();
      const delivery = running.deliver(sink);
      await eventually('text', () => (words(sink.heard) === 'one two' ? true : undefined));
      const ended = await running.stop('cancel');
      expect(await delivery).to.equal(ended);
      expect(ended).to.include({ how: 'cancelled', endedBy: 'cancel', finish: null });
      expect(given.types()).to.deep.equal(['FundsReserved', 'ReservationCaptured']);
    });

    it('is settled once, however often it is ended', async () => {
      given = await givenCompletions(scriptedUpstream([started, text('one'), 'silence']));
      const leaving = new AbortController();
      const running = await given.completions.open(order('Hello'), cause, leaving.signal);
      const delivery = running.deliver(listening());
      leaving.abort();
      await Promise.all([running.stop('cancel'), running.stop('shutdown'), delivery]);
      expect(given.types()).to.deep.equal(['FundsReserved', 'ReservationCaptured']);
      expect(given.last('ReservationCaptured')!.data.endedBy).to.equal('client');
    });
  });

  describe('while the event store is away', () => {
    it('waits with the end until the charge is written', async () => {
      given = await givenCompletions(
        scriptedUpstream([started, text('Hi'), used(5, 1), finished, { run: () => given.store.outage(true) }]),
      );
      const running = await given.completions.open(order('Hello'), cause, staying());
      let ended: Ended | undefined;
      const delivery = running.deliver(listening()).then((end) => (ended = end));
      await eventually('a second attempt', () => (given.lines.length >= 2 ? true : undefined));
      expect(ended).to.equal(undefined);
      given.store.outage(false);
      expect(await delivery).to.include({ how: 'completed' });
      expect(given.types()).to.deep.equal(['FundsReserved', 'ReservationCaptured']);
    });

    it('charges once when the first answer of the store was lost', async () => {
      given = await givenCompletions(scriptedUpstream([started, text('Hi'), used(5, 1), finished]));
      const { append } = given.store;
      let lost = false;
      given.store.beforeAppend(async (stream, events) => {
        if (lost || events[0]?.type !== 'ReservationCaptured') return;
        lost = true;
        await append(stream, 'any', events);
        throw new Error('the connection broke');
      });
      expect((await run(given)).charged).to.equal(4n);
      expect(given.types()).to.deep.equal(['FundsReserved', 'ReservationCaptured']);
    });

    it('answers 503 and leaves no hold behind when it cannot reserve', async () => {
      const upstream = scriptedUpstream([]);
      given = await givenCompletions(upstream);
      given.store.outage(true);
      await run(given).then(
        () => expect.fail('it ran'),
        (error: unknown) => expect(error).to.include({ tag: 'StoreUnavailableError' }),
      );
      given.store.outage(false);
      expect(upstream.calls).to.have.length(0);
      expect((await run(given).catch(() => undefined)) === undefined).to.equal(false);
      expect(standing(given).held).to.equal('0');
    });
  });

  describe('that takes long', () => {
    it('keeps its lease and notes what it has used', async () => {
      given = await givenCompletions(scriptedUpstream([started, text('one two three'), 'silence']), {
        renewEverySeconds: 0.02,
      });
      const running = await given.completions.open(order('Hello'), cause, staying());
      const delivery = running.deliver(listening());
      const extended = await eventually('a checkpoint with the text', () => {
        const event = given.last('ReservationExtended');
        return event?.data.soFar?.usage.outputVisible === 3 ? event : undefined;
      });
      expect(extended.data).to.include({ added: '0' });
      expect(extended.data.soFar!.usage).to.include({ inputUncached: 5, complete: false });
      await running.stop('cancel');
      await delivery;
    });

    it('adds to a hold that is used up', async () => {
      const long = Array.from({ length: 40 }, () => text(' word'.repeat(10)));
      given = await givenCompletions(scriptedUpstream([started, ...long, used(5, 400), finished]));
      expect(await run(given)).to.include({ how: 'completed', finish: 'stop', charged: 602n });
      const added = given.said().filter(({ type }) => type === 'ReservationExtended');
      expect(added.length).to.be.greaterThan(0);
      expect(given.last('ReservationCaptured')!.data).to.include({ shortfall: '0', writtenOff: '0' });
    });

    it('ends with what was paid for when the hold cannot grow', async () => {
      const long = Array.from({ length: 40 }, () => text(' word'.repeat(10)));
      const upstream = scriptedUpstream([started, ...long, used(5, 400), finished]);
      given = await givenCompletions(upstream, { credit: 300n });
      const ended = await run(given);
      expect(ended).to.include({ how: 'completed', finish: 'length', endedBy: 'credit' });
      expect(ended.charged <= 228n).to.equal(true);
      expect(upstream.aborts()).to.equal(1);
      expect(given.last('ReservationCaptured')!.data).to.include({ endedBy: 'credit', shortfall: '0' });
    });

    const thinking = (tokens: number) => used(5, 0, { outputReasoning: tokens, source: 'early', complete: false });

    it('adds to a hold that is used up by thoughts which nobody is shown', async () => {
      const told = [50, 100, 130, 400].map(thinking);
      const last = used(5, 1, { outputReasoning: 400 });
      given = await givenCompletions(scriptedUpstream([started, ...told, text('Hi'), last, finished]));
      expect(await run(given)).to.include({ how: 'completed', finish: 'stop', charged: 604n });
      expect(given.said().filter(({ type }) => type === 'ReservationExtended')).to.have.length(1);
    });

    it('ends when such thoughts have used up the hold and it cannot grow', async () => {
      const upstream = scriptedUpstream([started, ...[50, 100, 130, 400].map(thinking), text('Hi'), finished]);
      given = await givenCompletions(upstream, { credit: 300n });
      expect(await run(given)).to.include({ finish: 'length', endedBy: 'credit', charged: 198n });
      expect(upstream.aborts()).to.equal(1);
      expect(given.last('ReservationCaptured')!.data).to.include({ shortfall: '0' });
    });

    it('is opened for the client before the provider accepts', async () => {
      const accept = Promise.withResolvers<undefined>();
      given = await givenCompletions(scriptedUpstream([started, text('Hi'), used(5, 1), finished], accept.promise), {
        headWaitMs: 1,
      });
      const running = await given.completions.open(order('Hello'), cause, staying());
      const delivery = running.deliver(listening());
      accept.resolve(undefined);
      expect(await delivery).to.include({ how: 'completed' });
    });
  });

  describe('at shutdown', () => {
    it('may end by itself within the grace', async () => {
      const gate = Promise.withResolvers<undefined>();
      given = await givenCompletions(
        scriptedUpstream([started, text('Hi'), { run: () => gate.promise }, used(5, 1), finished]),
      );
      const running = await given.completions.open(order('Hello'), cause, staying());
      const delivery = running.deliver(listening());
      const down = given.completions.shutdown({ graceMs: 5_000, limitMs: 1_000 });
      expect((await refusalOf(given.completions.open(order('x'), cause, staying()))).errorType).to.equal(
        'service_unavailable',
      );
      gate.resolve(undefined);
      expect(await delivery).to.include({ how: 'completed' });
      await down;
    });

    it('is ended and settled after it', async () => {
      given = await givenCompletions(scriptedUpstream([started, text('Hi'), 'silence']));
      const running = await given.completions.open(order('Hello'), cause, staying());
      const sink = listening();
      const delivery = running.deliver(sink);
      await eventually('text', () => (words(sink.heard) === 'Hi' ? true : undefined));
      await given.completions.shutdown({ graceMs: 0, limitMs: 5_000 });
      expect(await delivery).to.include({ how: 'failed', endedBy: 'shutdown' });
      expect(given.last('ReservationCaptured')!.data).to.include({ endedBy: 'shutdown' });
      expect(given.completions.active()).to.equal(0);
    });
  });

  it('belongs to whoever ordered it', async () => {
    given = await givenCompletions(scriptedUpstream([started, 'silence']));
    const { requestId } = await given.completions.open(order('Hello'), cause, staying());
    expect(given.completions.find(requestId)).to.include({ userId: ada.userId, provider: 'sandbox' });
  });
});
