import { expect } from 'chai';
import type { UpstreamFailure } from '../../src/kernel/upstream.ts';
import { eventually } from '../support/eventually.ts';
import { refusalOf } from '../support/refusal-of.ts';
import { attempt, givenAttempts, listening, type GivenAttempts } from './given-attempts.ts';
import { finished, started, text, used } from './scripted-upstream.ts';

const good = { say: [started, text('Hi there'), used(1_000, 2), finished] } as const;

describe('a provider that fails', () => {
  let given: GivenAttempts;
  afterEach(() => given.completions.shutdown({ graceMs: 0, limitMs: 1_000 }));

  const failedOn = (type: 'ReservationCaptured' | 'ReservationReleased') => {
    const failed =
      type === 'ReservationReleased' ? given.last(type)?.data.failed : given.last(type)?.data.servedBy?.failed;
    return failed?.map(({ provider, failure, status }) => [provider, failure, status]);
  };

  describe('before it has said anything', () => {
    for (const [kind, status] of [
      ['timeout', 408],
      ['overloaded', 409],
      ['rate_limit', 429],
      ['server', 500],
      ['server', 502],
      ['overloaded', 503],
      ['overloaded', 529],
      ['network', undefined],
      ['timeout', undefined],
    ] as readonly (readonly [UpstreamFailure, number | undefined])[]) {
      it(`lets the next one do the work: ${kind} ${status ?? ''}`, async () => {
        const told = status === undefined ? { refuse: kind } : { refuse: kind, status };
        const other = attempt('openrouter', [good]);
        given = await givenAttempts([attempt('openai', [told]), other]);
        const sink = listening();
        const running = await given.begin();
        const ended = await running.deliver(sink);
        expect(sink.words()).to.equal('Hi there');
        expect(running.upstreamId()).to.equal(null);
        expect(ended).to.include({ how: 'completed', charged: 503n, fallbackAttempted: true });
        expect(given.types()).to.deep.equal(['FundsReserved', 'ReservationCaptured']);
        expect(failedOn('ReservationCaptured')).to.deep.equal([['openai', kind, status ?? null]]);
        expect(given.last('ReservationCaptured')!.data.servedBy).to.include({
          provider: 'openrouter',
          model: 'openrouter-model',
          onDisconnect: 'count',
        });
        expect(given.last('ReservationCaptured')!.data.work.provider).to.equal('openai');
      });
    }

    for (const [kind, status] of [
      ['invalid_request', 400],
      ['auth', 401],
      ['quota', 402],
      ['auth', 403],
      ['not_found', 404],
      ['context_length', 400],
      ['invalid_request', 422],
      ['quota', 429],
      ['protocol', undefined],
    ] as readonly (readonly [UpstreamFailure, number | undefined])[]) {
      it(`is the end of it, and recorded: ${kind} ${status ?? ''}`, async () => {
        const told = status === undefined ? { refuse: kind } : { refuse: kind, status };
        const other = attempt('openrouter', [good]);
        given = await givenAttempts([attempt('openai', [told]), other]);
        const { errorType } = await refusalOf(given.begin());
        const isCallers = kind === 'context_length' || kind === 'invalid_request';
        expect(errorType).to.equal(isCallers ? 'bad_request' : 'external_service_error');
        expect(other.calls()).to.equal(0);
        expect(failedOn('ReservationReleased')).to.deep.equal([['openai', kind, status ?? null]]);
        expect(given.standing()).to.deep.equal({ held: '0', promo: '5000000' });
      });
    }

    it('also when it breaks inside a good answer', async () => {
      const first = attempt('openai', [{ say: [started, used(1_000, 1), { fail: 'overloaded' }] }]);
      given = await givenAttempts([first, attempt('openrouter', [good])]);
      const ended = await (await given.begin()).deliver(listening());
      // The usage that the first one told is not the customer's to pay.
      expect(ended).to.include({ how: 'completed', charged: 503n, estimated: false, fallbackAttempted: true });
      expect(failedOn('ReservationCaptured')).to.deep.equal([['openai', 'overloaded', null]]);
    });

    it('but not when the answer was whole', async () => {
      const other = attempt('openrouter', [good]);
      given = await givenAttempts([attempt('openai', [{ say: [finished, { fail: 'network' }] }]), other]);
      const ended = await (await given.begin()).deliver(listening());
      expect(ended).to.include({ how: 'completed', finish: 'stop', estimated: true });
      expect(other.calls()).to.equal(0);
    });

    it('tells the last failure and records both when the next one fails too', async () => {
      given = await givenAttempts([
        attempt('openai', [{ refuse: 'overloaded', status: 503 }]),
        attempt('openrouter', [{ refuse: 'rate_limit', status: 429, retryAfterMs: 7_000 }]),
      ]);
      const refusal = await refusalOf(given.begin());
      expect(refusal).to.include({ errorType: 'external_service_error', retryAfterSeconds: 7 });
      expect(refusal.details).to.include({ provider: 'openrouter', failure: 'rate_limit', status: 429 });
      expect(failedOn('ReservationReleased')).to.deep.equal([
        ['openai', 'overloaded', 503],
        ['openrouter', 'rate_limit', 429],
      ]);
      expect(given.standing()).to.deep.equal({ held: '0', promo: '5000000' });
      expect(given.completions.active()).to.equal(0);
    });

    it('says so to a stream that was opened before', async () => {
      const accept = Promise.withResolvers<undefined>();
      given = await givenAttempts(
        [
          attempt('openai', [{ say: [started, { fail: 'server' }], accept: accept.promise }]),
          attempt('openrouter', [{ refuse: 'server', status: 500 }]),
        ],
        { headWaitMs: 1 },
      );
      const delivery = (await given.begin()).deliver(listening());
      accept.resolve(undefined);
      expect(await delivery).to.include({ how: 'failed', charged: 0n, fallbackAttempted: true });
    });

    describe('and says when to come back', () => {
      it('is asked once more when there is no other', async () => {
        const only = attempt('xai', [{ refuse: 'rate_limit', status: 429, retryAfterMs: 2_000 }, good]);
        given = await givenAttempts([only]);
        const ended = await (await given.begin()).deliver(listening());
        expect(ended).to.include({ how: 'completed', fallbackAttempted: false });
        expect(only.calls()).to.equal(2);
        expect(failedOn('ReservationCaptured')).to.deep.equal([['xai', 'rate_limit', 429]]);
      });

      it('is asked no third time', async () => {
        const only = attempt('xai', [{ refuse: 'rate_limit', status: 429, retryAfterMs: 1 }]);
        given = await givenAttempts([only]);
        await refusalOf(given.begin());
        expect(only.calls()).to.equal(2);
      });

      it('is not asked again when that is long', async () => {
        const only = attempt('xai', [{ refuse: 'rate_limit', status: 429, retryAfterMs: 3_001 }]);
        given = await givenAttempts([only]);
        expect((await refusalOf(given.begin())).retryAfterSeconds).to.equal(4);
        expect(only.calls()).to.equal(1);
      });
    });

    for (const policy of ['count', 'drain'] as const) {
      it(`is the last one asked when the client has gone meanwhile: ${policy}`, async () => {
        const leaving = new AbortController();
        const other = attempt('openrouter', [good]);
        const accept = Promise.withResolvers<undefined>();
        const first = attempt('google', [{ say: [{ fail: 'server' }], accept: accept.promise }], { policy });
        given = await givenAttempts([first, other]);
        const opening = given.begin(true, leaving.signal);
        await eventually('the call', () => (first.calls() === 1 ? true : undefined));
        leaving.abort();
        accept.resolve(undefined);
        await opening.then(
          async (running) => expect(await running.settled).to.include({ how: 'gone' }),
          (error: unknown) => expect(error).to.include({ name: 'AbortError' }),
        );
        await eventually('the end', () => (given.completions.active() === 0 ? true : undefined));
        expect(given.standing().held).to.equal('0');
        expect(other.calls()).to.equal(0);
      });

      it(`is not asked for a client that has gone already: ${policy}`, async () => {
        const first = attempt('google', [good], { policy });
        given = await givenAttempts([first]);
        await given.begin(true, AbortSignal.abort()).then(
          () => expect.fail('it was begun'),
          (error: unknown) => expect(error).to.include({ name: 'AbortError' }),
        );
        expect(first.calls()).to.equal(0);
        expect(given.last('ReservationReleased')!.data.reason).to.equal('cancelled_before_start');
      });
    }
  });

  describe('after text', () => {
    it('is not followed by another, and what was delivered is charged', async () => {
      const other = attempt('openrouter', [good]);
      given = await givenAttempts([
        attempt('openai', [{ say: [started, text('one two'), { fail: 'server' }] }]),
        other,
      ]);
      const ended = await (await given.begin()).deliver(listening());
      expect(ended).to.include({ how: 'failed', finish: 'error', fallbackAttempted: false });
      expect(ended.usage).to.include({ outputVisible: 2 });
      expect(other.calls()).to.equal(0);
      expect(failedOn('ReservationCaptured')).to.deep.equal([['openai', 'server', null]]);
    });

    for (const said of [
      { type: 'reasoning', text: 'hm' },
      { type: 'toolCall', index: 0, id: 'a', name: 'f', arguments: '' },
    ] as const) {
      it(`is not followed by another, nor after ${said.type}`, async () => {
        const other = attempt('openrouter', [good]);
        given = await givenAttempts([attempt('openai', [{ say: [started, said, { fail: 'server' }] }]), other]);
        expect(await (await given.begin()).deliver(listening())).to.include({ how: 'failed' });
        expect(other.calls()).to.equal(0);
      });
    }
  });

  it('is not followed by another when the fault is ours', async () => {
    const other = attempt('openrouter', [good]);
    given = await givenAttempts([attempt('openai', [good]), other]);
    const ended = await (
      await given.begin()
    ).deliver({
      take: () => {
        throw new Error('a bug of ours');
      },
    });
    expect(ended).to.include({ how: 'failed', charged: 0n });
    expect(other.calls()).to.equal(0);
  });
});
