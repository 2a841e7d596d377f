import { expect } from 'chai';
import type { CompletionSink } from '../../commands/completions/running-completion.ts';
import { UpstreamError, type UsageLookUp, type UsageReport } from '../../src/kernel/upstream.ts';
import { eventually } from '../support/eventually.ts';
import { refusalOf } from '../support/refusal-of.ts';
import { attempt, givenAttempts, listening, PROMPT_TOKENS, type GivenAttempts } from './given-attempts.ts';
import { catalogue, cause, order } from './given-completions.ts';
import { finished, scriptedUpstream, started, text, used, type Step } from './scripted-upstream.ts';

const gate = () => Promise.withResolvers<undefined>();
const HOW = ['client', 'cancel'] as const;
const NAMES = { client: 'gone', cancel: 'cancelled' } as const;

/** What a provider found out afterwards. */
const found = (output: number): UsageReport => {
  const { usage, raw } = used(PROMPT_TOKENS, output, { source: 'looked_up' }) as never as UsageReport;
  return { usage, raw };
};

describe('an answer that is left', () => {
  let given: GivenAttempts;
  afterEach(() => given.completions.shutdown({ graceMs: 0, limitMs: 1_000 }));

  const charge = () => given.last('ReservationCaptured')!.data;
  const nothingLeft = (): void => {
    expect(given.standing().held).to.equal('0');
    expect(given.completions.active()).to.equal(0);
  };
  /** Begins, waits until the client has heard some words, and goes on from there. */
  const heardSome = async (leaving?: AbortController) => {
    const running = await given.begin(true, leaving?.signal);
    const sink = listening();
    const delivery = running.deliver(sink);
    await eventually('some words', () => (sink.words() === '' ? undefined : true));
    return { running, sink, delivery };
  };

  describe('where leaving stops the provider’s meter', () => {
    for (const by of HOW) {
      it(`is cut at once and charged by our count: ${by}`, async () => {
        const first = attempt('openai', [{ say: [started, text('one two three'), 'silence'] }]);
        given = await givenAttempts([first]);
        const { running, delivery } = await heardSome();
        const ended = await running.stop(by);
        expect(await delivery).to.equal(ended);
        expect(ended).to.include({ how: NAMES[by], endedBy: by, estimated: true, charged: 504n });
        expect(first.aborts()).to.equal(1);
        expect(charge().servedBy).to.deep.include({ provider: 'openai', onDisconnect: 'count', failed: [] });
        nothingLeft();
      });
    }

    it('is charged by the provider’s first word and our count when there is one', async () => {
      const early = used(700, 1, { inputCachedRead: 300, outputVisible: 0, source: 'early', complete: false });
      given = await givenAttempts([
        attempt('anthropic', [{ say: [started, early, text('one two three'), 'silence'] }]),
      ]);
      const { running } = await heardSome();
      const { usage } = await running.stop('client');
      expect(usage).to.include({ inputUncached: 700, inputCachedRead: 300, outputVisible: 3, complete: false });
    });

    it('is waited for a moment when it is whole, so that its usage is the provider’s', async () => {
      const stopped = gate();
      const say = [started, text('one two'), finished, { run: () => stopped.promise }, used(PROMPT_TOKENS, 99)];
      given = await givenAttempts([attempt('openai', [{ say }])]);
      const sink = listening();
      const running = await given.begin();
      const delivery = running.deliver(sink);
      await eventually('the end', () => (sink.heard.some(({ type }) => type === 'finish') ? true : undefined));
      const ending = running.stop('cancel');
      stopped.resolve(undefined);
      const ended = await ending;
      expect(ended).to.include({ how: 'completed', endedBy: 'provider', finish: 'stop', estimated: false });
      expect(ended.usage).to.include({ outputVisible: 99 });
      expect(await delivery).to.equal(ended);
    });
  });

  describe('where it does not', () => {
    const drained = (rest: Promise<undefined>): readonly Step[] => [
      started,
      text('one two'),
      { run: () => rest },
      text(' three four five'),
      used(PROMPT_TOKENS, 5),
      finished,
    ];

    for (const by of HOW) {
      it(`is read to its end and charged exactly, but nothing more is handed on: ${by}`, async () => {
        const rest = gate();
        const first = attempt('google', [{ say: drained(rest.promise) }], { policy: 'drain' });
        given = await givenAttempts([first]);
        const { running, sink, delivery } = await heardSome();
        const ending = running.stop(by);
        expect(first.aborts()).to.equal(0);
        rest.resolve(undefined);
        const ended = await ending;
        // Whoever cancelled is told so, although the provider has finished.
        expect(ended).to.include({ how: NAMES[by], endedBy: by, finish: 'stop', estimated: false, charged: 508n });
        expect(await delivery).to.equal(ended);
        expect(sink.words()).to.equal('one two');
        expect(charge()).to.include({ endedBy: by, estimated: false });
        expect(charge().servedBy).to.include({ onDisconnect: 'drain' });
        nothingLeft();
      });
    }

    it('is read also when the provider had not accepted yet', async () => {
      const accept = gate();
      const rest = gate();
      rest.resolve(undefined);
      const first = attempt('google', [{ say: drained(rest.promise), accept: accept.promise }], { policy: 'drain' });
      given = await givenAttempts([first]);
      const leaving = new AbortController();
      const opening = given.begin(true, leaving.signal).then(
        () => 'begun',
        (error: unknown) => (error as Error).name,
      );
      await eventually('the call', () => (first.calls() === 1 ? true : undefined));
      leaving.abort();
      accept.resolve(undefined);
      expect(await opening).to.be.oneOf(['begun', 'AbortError']);
      await eventually('the charge', () => given.last('ReservationCaptured'));
      expect(charge()).to.include({ endedBy: 'client', estimated: false });
      expect(charge().metered.cost).to.equal('508');
      nothingLeft();
    });

    it('is told to whoever cancelled before it was accepted, without waiting for the end', async () => {
      const first = attempt('google', [{ say: [started, 'silence'], accept: gate().promise }], { policy: 'drain' });
      given = await givenAttempts([first]);
      const opening = refusalOf(given.begin());
      await eventually('the call', () => (first.calls() === 1 ? true : undefined));
      const [running] = [given.completions.find('00000000-0000-4000-8000-000000000001')!];
      expect(await running.stop('cancel')).to.include({ how: 'cancelled', charged: 0n });
      expect((await opening).message).to.equal('Bad request: the request was cancelled');
      expect(given.completions.active()).to.equal(1);
      await running.stop('shutdown');
      await running.settled;
      expect(given.last('ReservationReleased')!.data.reason).to.equal('cancelled_before_start');
    });

    it('is cut after a limit and charged by what is known', async () => {
      const say = [started, text('one two'), used(PROMPT_TOKENS, 2, { source: 'early', complete: false }), 'silence'];
      const first = attempt('google', [{ say: say as readonly Step[] }], { policy: 'drain', limitSeconds: 0.01 });
      given = await givenAttempts([first]);
      const { running } = await heardSome();
      void running.stop('client');
      expect(await running.settled).to.include({ how: 'gone', estimated: true, charged: 503n });
      expect(first.aborts()).to.equal(1);
      nothingLeft();
    });

    it('is cut when the server goes down', async () => {
      const first = attempt('google', [{ say: [started, text('one two'), 'silence'] }], { policy: 'drain' });
      given = await givenAttempts([first]);
      const { running } = await heardSome();
      void running.stop('client');
      await given.completions.shutdown({ graceMs: 0, limitMs: 5_000 });
      expect(await running.settled).to.include({ how: 'gone', endedBy: 'client', estimated: true });
      nothingLeft();
    });

    it('is charged although it breaks while nobody listens', async () => {
      const rest = gate();
      const say: readonly Step[] = [started, text('one two'), { run: () => rest.promise }, { fail: 'network' }];
      const other = attempt('openrouter', [{ say: [] }]);
      given = await givenAttempts([attempt('google', [{ say }], { policy: 'drain' }), other]);
      const { running } = await heardSome();
      void running.stop('client');
      rest.resolve(undefined);
      expect(await running.settled).to.include({ how: 'gone', endedBy: 'client', estimated: true, charged: 503n });
      expect(other.calls()).to.equal(0);
    });
  });

  describe('where the provider can be asked', () => {
    const script: readonly Step[] = [started, text('one two'), 'silence'];
    const asked = async (lookUp: UsageLookUp, over: object = {}) => {
      const first = attempt('openrouter', [{ say: script }], { policy: 'look_up', lookUp, ...over });
      given = await givenAttempts([first]);
      return { first, ...(await heardSome()) };
    };

    it('is cut and charged by what the provider says, as soon as it knows', async () => {
      const answers = [undefined, new UpstreamError({ provider: 'openrouter', kind: 'network' }), found(7)];
      const ids: string[] = [];
      const { first, running } = await asked((id) => {
        ids.push(id);
        const answer = answers.shift();
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      });
      const ended = await running.stop('client');
      expect(first.aborts()).to.equal(1);
      expect(ids).to.deep.equal(['resp_1', 'resp_1', 'resp_1']);
      expect(ended).to.include({ how: 'gone', estimated: false, charged: 510n });
      expect(charge().metered.usage).to.include({ source: 'looked_up', outputVisible: 7 });
      expect(charge().servedBy).to.include({ onDisconnect: 'look_up' });
      nothingLeft();
    });

    it('is charged by our count when it does not know in time', async () => {
      const { running } = await asked(() => Promise.resolve(undefined), { limitSeconds: 0.03 });
      expect(await running.stop('client')).to.include({ how: 'gone', estimated: true, charged: 503n });
    });

    it('is charged by our count at once when it does not want to say', async () => {
      let times = 0;
      const { running } = await asked(() => {
        times += 1;
        return Promise.reject(new UpstreamError({ provider: 'openrouter', kind: 'auth', status: 401 }));
      });
      expect(await running.stop('client')).to.include({ how: 'gone', estimated: true });
      expect(times).to.equal(1);
    });

    it('is not asked for what it has told', async () => {
      let times = 0;
      const lookUp: UsageLookUp = () => {
        times += 1;
        return Promise.resolve(found(7));
      };
      const say: readonly Step[] = [started, text('one two'), used(PROMPT_TOKENS, 2), 'silence'];
      given = await givenAttempts([attempt('openrouter', [{ say }], { policy: 'look_up', lookUp })]);
      const { running } = await heardSome();
      expect(await running.stop('client')).to.include({ estimated: false, charged: 503n });
      expect(times).to.equal(0);
    });

    it('keeps its hold alive while it is asked, and tells whoever cancelled before it knows', async () => {
      const answer = Promise.withResolvers<UsageReport>();
      const first = attempt('openrouter', [{ say: script }], { policy: 'look_up', lookUp: () => answer.promise });
      given = await givenAttempts([first], { firstRenewSeconds: 0.02, renewEverySeconds: 0.02 });
      const { running } = await heardSome();
      expect(await running.stop('cancel')).to.include({ how: 'cancelled', charged: 0n, estimated: true });
      const renewed = given.types().length;
      await eventually('another renewal', () => (given.types().length > renewed ? true : undefined));
      answer.resolve(found(7));
      expect(await running.settled).to.include({ how: 'cancelled', charged: 510n });
      expect(given.types().at(-1)).to.equal('ReservationCaptured');
      expect(given.lines.filter(({ message }) => message === 'a hold was not renewed')).to.have.length(0);
    });

    it('is not waited for when the server goes down', async () => {
      const { running } = await asked(() => new Promise(() => undefined));
      void running.stop('client');
      await eventually('the look-up', () => (running.isStopped() ? true : undefined));
      await given.completions.shutdown({ graceMs: 0, limitMs: 5_000 });
      expect(await running.settled).to.include({ how: 'gone', estimated: true, charged: 503n });
      nothingLeft();
    });

    it('is not asked when the answer broke: what was delivered is charged', async () => {
      let times = 0;
      const lookUp: UsageLookUp = () => {
        times += 1;
        return Promise.resolve(found(7));
      };
      const say: readonly Step[] = [started, text('one two'), { fail: 'server' }];
      given = await givenAttempts([attempt('openrouter', [{ say }], { policy: 'look_up', lookUp })]);
      expect(await (await given.begin()).deliver(listening())).to.include({ how: 'failed', charged: 503n });
      expect(times).to.equal(0);
    });
  });

  describe('while its client takes nothing', () => {
    const stuck = (): CompletionSink => ({
      take: ([event]) => (event?.type === 'text' ? new Promise(() => undefined) : undefined),
    });

    for (const policy of ['count', 'drain'] as const) {
      for (const by of ['client', 'cancel', 'shutdown'] as const) {
        it(`ends all the same: ${policy}, ${by}`, async () => {
          const say: readonly Step[] = [started, text('one two'), used(PROMPT_TOKENS, 2), finished];
          given = await givenAttempts([attempt('google', [{ say }], { policy })]);
          const running = await given.begin();
          const delivery = running.deliver(stuck());
          await new Promise((resolve) => setImmediate(resolve));
          void running.stop(by);
          const ended = await delivery;
          expect(ended).to.include({ endedBy: by, charged: 503n });
          await running.settled;
          nothingLeft();
        });
      }
    }
  });

  describe('before anybody asked for it', () => {
    it('is charged although it was never delivered', async () => {
      given = await givenAttempts([attempt('openai', [{ say: [started, 'silence'] }])]);
      const running = await given.begin();
      expect(await running.stop('client')).to.include({ how: 'gone', charged: 500n });
      expect(await running.deliver(listening())).to.include({ how: 'gone' });
      nothingLeft();
    });

    for (const policy of ['count', 'drain'] as const) {
      it(`is given back when the server goes down before a provider accepted: ${policy}`, async () => {
        given = await givenAttempts([attempt('google', [{ say: [], accept: gate().promise }], { policy })]);
        const opening = refusalOf(given.begin());
        await eventually('a hold', () => (given.completions.active() === 1 ? true : undefined));
        await given.completions.shutdown({ graceMs: 0, limitMs: 5_000 });
        expect((await opening).errorType).to.equal('service_unavailable');
        expect(given.last('ReservationReleased')!.data.reason).to.equal('cancelled_before_start');
        nothingLeft();
      });
    }

    it('is given back when its client leaves during the pause that a provider asked for', async () => {
      const only = attempt('xai', [{ refuse: 'rate_limit', status: 429, retryAfterMs: 3_000 }]);
      given = await givenAttempts([only], { pause: () => new Promise(() => undefined) });
      const leaving = new AbortController();
      const opening = given.begin(true, leaving.signal).catch((error: unknown) => error);
      await eventually('the refusal', () => (only.calls() === 1 ? true : undefined));
      await new Promise((resolve) => setImmediate(resolve));
      leaving.abort();
      expect(await opening).to.include({ name: 'AbortError' });
      expect(given.last('ReservationReleased')!.data).to.include({ reason: 'cancelled_before_start' });
      expect(given.last('ReservationReleased')!.data.failed).to.have.length(1);
      nothingLeft();
    });
  });

  it('is charged when nobody can count it now', async () => {
    given = await givenAttempts([attempt('openai', [{ say: [started, text('12345678'), 'silence'] }])], {
      count: () => Promise.reject(new Error('no worker')),
    });
    const { running } = await heardSome();
    expect(await running.stop('client')).to.include({ estimated: true, charged: 503n });
  });

  it('is charged at the price of its admission, also when that has changed meanwhile', async () => {
    let current = catalogue;
    const changed = { input: 9_000_000n, output: 9_000_000n };
    const raise = (): void => {
      const models = catalogue.models.map((model) => ({ ...model, price: changed, priceVersion: 'raised' }));
      current = { ...catalogue, models };
    };
    const upstream = scriptedUpstream([started, { run: raise }, text('one two'), 'silence']);
    given = await givenAttempts([attempt('sandbox', [])], {
      offered: { catalogue: () => current, upstreams: () => upstream },
    });
    const running = await given.completions.open(order('Hello'), cause, new AbortController().signal);
    const sink = listening();
    void running.deliver(sink);
    await eventually('some words', () => (sink.words() === '' ? undefined : true));
    await running.stop('cancel');
    // 5 tokens in at 0.5 and 2 out at 1.5 USD per million.
    expect(charge().metered.costPico).to.equal('5500000');
    const { priceVersion } = catalogue.models.find(({ id }) => id === 'sandbox/echo')!;
    expect(charge().work.priceVersion).to.equal(priceVersion);
    const next = await given.completions.open(order('Hello'), cause, new AbortController().signal);
    await next.stop('cancel');
    expect(charge().work.priceVersion).to.equal('raised');
    expect(charge().metered.costPico).to.equal('45000000');
  });

  it('is charged, not stopped, when it is whole and the money is used up', async () => {
    const long = text(' word'.repeat(400));
    given = await givenAttempts([attempt('openai', [{ say: [started, [long, used(1_000, 40_000), finished]] }])], {
      credit: 15_000n,
    });
    const ended = await (await given.begin()).deliver(listening());
    expect(ended).to.include({ how: 'completed', endedBy: 'provider', finish: 'stop', estimated: false });
    expect(charge().shortfall).to.equal('45500');
  });
});
