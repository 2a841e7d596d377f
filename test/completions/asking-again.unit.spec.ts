import { expect } from 'chai';
import type { Answer } from '../../commands/completions/answers/answer.ts';
import type { Ended } from '../../commands/completions/running-completion.ts';
import { isDomainError, type DomainError } from '../../src/kernel/errors.ts';
import type { UpstreamEvent } from '../../src/kernel/upstream.ts';
import { grace } from '../support/given-http.ts';
import { eventually } from '../support/eventually.ts';
import { cause, givenCompletions, order, staying, type GivenCompletions } from './given-completions.ts';
import { finished, scriptedUpstream, started, text, used, type Step } from './scripted-upstream.ts';

const WHOLE: readonly Step[] = [started, text('Hel'), text('lo'), used(10, 2), finished];

const until = (what: string, check: () => boolean): Promise<true> =>
  eventually(what, () => (check() ? true : undefined), 10_000);

type Heard = Readonly<{ events: readonly UpstreamEvent[]; ended: Ended }>;

const hear = async (answer: Answer, from?: number): Promise<Heard> => {
  const events: UpstreamEvent[] = [];
  const sink = {
    take: (batch: readonly UpstreamEvent[]) => {
      events.push(...batch);
      return undefined;
    },
  };
  return { events, ended: await answer.deliver(sink, from) };
};

const said = ({ events }: Heard): string => events.map((event) => (event.type === 'text' ? event.text : '')).join('');

const ask = async (given: GivenCompletions, over: Parameters<typeof order>[1] = {}): Promise<Heard> =>
  hear(await given.answers.open(order('Hello', { key: 'k1', ...over }), cause, staying()));

const refusalOf = async (asking: Promise<unknown>): Promise<DomainError> => {
  const error = await asking.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isDomainError(error)) throw new Error('it was not refused', { cause: error });
  return error;
};

const claims = ({ store }: GivenCompletions): readonly string[] =>
  store
    .log()
    .filter(({ stream }) => stream.startsWith('completion-'))
    .map(({ type }) => type);

/** Holds an answer back until it is told to go on. */
const gate = () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { step: { run: () => promise.then(() => undefined) }, open: () => resolve(undefined) };
};

describe('asking again for an answer', () => {
  const open: GivenCompletions[] = [];
  const given = async (...args: Parameters<typeof givenCompletions>): Promise<GivenCompletions> => {
    const made = await givenCompletions(...args);
    open.push(made);
    return made;
  };

  afterEach(async () => {
    for (const { completions, answers } of open.splice(0)) {
      await completions.shutdown({ graceMs: 0, limitMs: 1_000 });
      await answers.close(1_000);
    }
  });

  it('costs nothing without a key: no claim, no record', async () => {
    const one = await given(scriptedUpstream(WHOLE));
    const answer = await one.answers.open(order('Hello'), cause, staying());
    expect(said(await hear(answer))).to.equal('Hello');
    expect(answer.replayed).to.equal(false);
    expect(claims(one)).to.deep.equal([]);
    expect(one.log.writes()).to.equal(0);
  });

  describe('with the same key', () => {
    it('gives the finished answer again: same events, same end, same request, one call and one charge', async () => {
      const upstream = scriptedUpstream(WHOLE);
      const one = await given(upstream);
      const first = await one.answers.open(order('Hello', { key: 'k1' }), cause, staying());
      const heard = await hear(first);
      const second = await one.answers.open(order('Hello', { key: 'k1', streamed: false }), cause, staying());
      expect(await hear(second)).to.deep.equal(heard);
      expect([second.requestId, second.startedAt]).to.deep.equal([first.requestId, first.startedAt]);
      expect([first.replayed, second.replayed]).to.deep.equal([false, true]);
      expect(upstream.calls).to.have.length(1);
      expect(one.types()).to.deep.equal(['FundsReserved', 'ReservationCaptured']);
      expect(claims(one)).to.deep.equal(['CompletionStarted', 'CompletionEnded']);
    });

    it('lets a hundred at once on two instances share one call and one charge, each with the whole answer', async () => {
      const held = gate();
      const upstream = scriptedUpstream([started, text('Hel'), held.step, text('lo'), used(10, 2), finished]);
      const one = await given(upstream);
      const two = await given(upstream, { beside: one });
      const asked = Array.from({ length: 100 }, (_, n) => ask(n % 2 === 0 ? one : two));
      await until('both to have heard the beginning', () => one.log.writes() > 0);
      held.open();
      const all = await Promise.all(asked);
      for (const heard of all) {
        expect(said(heard)).to.equal('Hello');
        expect(heard.ended.charged).to.equal(all[0]?.ended.charged);
      }
      expect(upstream.calls).to.have.length(1);
      expect(one.types()).to.deep.equal(['FundsReserved', 'ReservationCaptured']);
    });

    it('says everywhere that it began at the same time: while it runs, from the record and from its replay', async () => {
      const held = gate();
      const upstream = scriptedUpstream([started, text('Hel'), held.step, text('lo'), used(10, 2), finished]);
      let reads = 0;
      const clock = (): Date => new Date(Date.parse(cause.at) + 10 * (reads += 1));
      const one = await given(upstream, { clock });
      const two = await given(upstream, { beside: one });
      const three = await given(upstream, { beside: one });
      const again = (instance: GivenCompletions): Promise<Answer> =>
        instance.answers.open(order('Hello', { key: 'k1' }), cause, staying());
      const first = await again(one);
      await until('the record to have begun', () => one.log.kept(first.requestId) !== undefined);
      const followed = await three.answers.follow(first.requestId, order('').userId, staying());
      const answers = [first, await again(two), followed];
      held.open();
      for (const answer of answers) await hear(answer);
      answers.push(await again(three));
      expect(answers.map(({ startedAt }) => startedAt)).to.deep.equal(answers.map(() => first.startedAt));
    });

    it('reads on from any position, from the running answer and from the record', async () => {
      const held = gate();
      const upstream = scriptedUpstream([started, text('Hel'), held.step, text('lo'), used(10, 2), finished]);
      const one = await given(upstream);
      const two = await given(upstream, { beside: one });
      const cut = new AbortController();
      const first = await one.answers.open(order('Hello', { key: 'k1' }), cause, cut.signal);
      let position = 0;
      const hearing = first.deliver({
        take: (batch) => {
          position += batch.length;
          if (position === 2) cut.abort();
          return undefined;
        },
      });
      expect((await hearing).how).to.equal('gone');
      await until('the record to have begun', () => (one.log.kept(first.requestId)?.events.length ?? 0) >= 2);
      const elsewhere = await two.answers.follow(first.requestId, first.requestId && order('').userId, staying());
      const rest = hear(elsewhere, position);
      held.open();
      expect(said(await rest)).to.equal('lo');
      const replayed = await one.answers.follow(first.requestId, order('').userId, staying());
      expect(said(await hear(replayed, position))).to.equal('lo');
    });

    it('is another request when somebody else uses it', async () => {
      const upstream = scriptedUpstream(WHOLE);
      const one = await given(upstream);
      await ask(one);
      const refusal = await refusalOf(ask(one, { userId: grace.userId }));
      // Grace has no credit account here: she is not given Ada's answer but asked to pay for her own.
      expect(refusal.errorType).to.equal('credit_insufficient');
    });

    it('is refused for another body, while the first runs and afterwards, on every instance', async () => {
      const held = gate();
      const one = await given(scriptedUpstream([started, text('Hel'), held.step, ...WHOLE.slice(2)]));
      const two = await given(scriptedUpstream(WHOLE), { beside: one });
      const first = ask(one);
      await until('the key to be taken', () => claims(one).length === 1);
      for (const each of [one, two]) {
        const refusal = await refusalOf(each.answers.open(order('Other', { key: 'k1' }), cause, staying()));
        expect(refusal.errorType).to.equal('already_exists');
      }
      held.open();
      await first;
      const refusal = await refusalOf(two.answers.open(order('Other', { key: 'k1' }), cause, staying()));
      expect(refusal.errorType).to.equal('already_exists');
    });
  });

  describe('when the first attempt came to nothing', () => {
    it('tells all who wait of the failure, and begins anew for the next who asks', async () => {
      const upstream = scriptedUpstream(WHOLE);
      const one = await given(upstream);
      upstream.refuse('invalid_request');
      const refusals = await Promise.all([refusalOf(ask(one)), refusalOf(ask(one))]);
      expect(refusals.map(({ errorType }) => errorType)).to.deep.equal(Array(2).fill('bad_request'));
      expect(claims(one)).to.deep.equal(['CompletionStarted', 'CompletionEnded']);
      const good = scriptedUpstream(WHOLE);
      const two = await given(good, { beside: one });
      expect(said(await ask(two))).to.equal('Hello');
      expect(good.calls).to.have.length(1);
      expect(one.types()).to.deep.equal([
        'FundsReserved',
        'ReservationReleased',
        'FundsReserved',
        'ReservationCaptured',
      ]);
    });

    it('takes no key when credit is short or the order is wrong', async () => {
      const one = await given(scriptedUpstream(WHOLE), { credit: 1n });
      expect((await refusalOf(ask(one))).errorType).to.equal('credit_insufficient');
      const wrong = one.answers.open(order('x', { key: 'k2', modelId: 'no/such' }), cause, staying());
      expect((await refusalOf(wrong)).errorType).to.equal('not_found');
      expect([claims(one), one.types()]).to.deep.equal([[], []]);
    });

    it('frees the key when the last of the credit goes to somebody else just then', async () => {
      const held = gate();
      const one = await given(scriptedUpstream(WHOLE), { credit: 300n });
      const two = await given(scriptedUpstream([started, held.step, ...WHOLE.slice(1)]), { beside: one });
      let rival: Promise<Heard> | undefined;
      one.store.beforeAppend(async (_stream, [event]) => {
        if (event?.type !== 'CompletionStarted' || rival !== undefined) return;
        rival = ask(two, { key: 'k2' });
        await until('the rival to have it', () => two.types().includes('FundsReserved'));
      });
      expect((await refusalOf(ask(one))).errorType).to.equal('credit_insufficient');
      held.open();
      await rival;
      const ends = one.store.log().filter(({ type }) => type === 'CompletionEnded');
      expect(ends.map(({ data }) => (data as { how: string }).how)).to.have.members(['refused', 'completed']);
    });

    it('refuses a flood that there is no money for with few words to the event store', async () => {
      const one = await given(scriptedUpstream(WHOLE), { credit: 1n, maxConcurrentPerUser: 1_000 });
      const reads = one.store.reads();
      const asked = Array.from({ length: 500 }, (_, n) => refusalOf(ask(one, { key: `flood-${n}` })));
      expect(new Set((await Promise.all(asked)).map(({ errorType }) => errorType))).to.deep.equal(
        new Set(['credit_insufficient']),
      );
      expect(claims(one)).to.deep.equal([]);
      // Each key is looked for once; the account is read once for many.
      expect(one.store.reads() - reads - 500).to.be.lessThan(100);
    });
  });

  describe('when nobody reads it', () => {
    it('goes on for a while, so that the client may come back', async () => {
      const held = gate();
      const upstream = scriptedUpstream([started, text('Hel'), held.step, text('lo'), used(10, 2), finished]);
      const one = await given(upstream);
      const cut = new AbortController();
      const first = await one.answers.open(order('Hello', { key: 'k1' }), cause, cut.signal);
      cut.abort();
      expect((await hear(first)).ended.how).to.equal('gone');
      const again = ask(one);
      held.open();
      expect(said(await again)).to.equal('Hello');
      expect(upstream.calls).to.have.length(1);
    });

    it('is ended after that; what it cost is final, and told', async () => {
      const one = await given(scriptedUpstream([started, text('Hel'), 'silence']), { lingerMs: 20 });
      const cut = new AbortController();
      const first = await one.answers.open(order('Hello', { key: 'k1' }), cause, cut.signal);
      cut.abort();
      await hear(first);
      await until('the charge', () => one.types().includes('ReservationCaptured'));
      await until('the end to be noted', () => claims(one).length === 2);
      const again = await ask(one);
      expect(said(again)).to.equal('Hel');
      expect(again.ended.how).to.equal('failed');
      expect(isDomainError(again.ended.failure) && again.ended.failure.detail).to.contain('USD were charged');
      expect(one.types()).to.deep.equal(['FundsReserved', 'ReservationCaptured']);
    });

    it('goes on while somebody on another instance does', async () => {
      const held = gate();
      const one = await given(scriptedUpstream([started, text('Hel'), held.step, text('lo'), used(10, 2), finished]), {
        lingerMs: 1_500,
      });
      const two = await given(scriptedUpstream([]), { beside: one });
      const cut = new AbortController();
      const first = await one.answers.open(order('Hello', { key: 'k1' }), cause, cut.signal);
      await until('the record', () => one.log.kept(first.requestId) !== undefined);
      const reading = ask(two);
      await until('the reader to be known', () => (one.log.kept(first.requestId)?.followedUntil ?? 0) > Date.now());
      cut.abort();
      await hear(first);
      const before = one.log.writes();
      // More signs of life than fit into the time that an answer without any reader is given.
      await until('time to pass', () => one.log.writes() - before >= 3);
      held.open();
      expect(said(await reading)).to.equal('Hello');
    }).timeout(15_000);
  });

  describe('when the record is not what it should be', () => {
    it('answers and charges while the record cannot be written, and keeps the answer as soon as it can', async () => {
      const one = await given(scriptedUpstream(WHOLE));
      const two = await given(scriptedUpstream([]), { beside: one });
      one.log.away(true);
      expect(said(await ask(one))).to.equal('Hello');
      expect(one.types()).to.deep.equal(['FundsReserved', 'ReservationCaptured']);
      expect(said(await ask(one))).to.equal('Hello');
      one.log.away(false);
      const requestId = one.last('ReservationCaptured')?.data.reservationId ?? '';
      await until('the record to be kept', () => one.log.kept(requestId)?.over !== undefined);
      expect(said(await ask(two))).to.equal('Hello');
    }).timeout(15_000);

    it('refuses a charged key whose answer is no longer kept, and names the charge', async () => {
      const one = await given(scriptedUpstream(WHOLE));
      const { ended } = await ask(one);
      await until('it to be let go', () => one.log.writes() > 0);
      one.log.forget(one.last('ReservationCaptured')?.data.reservationId ?? '');
      const refusal = await refusalOf(ask(one));
      expect(refusal.errorType).to.equal('already_exists');
      expect(refusal.details?.['chargedUsd']).to.equal((Number(ended.charged) / 1e6).toFixed(6).replace(/0+$/, ''));
    });
  });

  describe('by its request id', () => {
    it('also works without a key where the order is resumable', async () => {
      const one = await given(scriptedUpstream(WHOLE));
      const first = await one.answers.open(order('Hello', { resumable: true }), cause, staying());
      const heard = await hear(first);
      const again = await one.answers.follow(first.requestId, order('').userId, staying());
      expect(await hear(again)).to.deep.equal(heard);
      expect(claims(one)).to.deep.equal([]);
    });

    it("is not found when nothing is recorded, and forbidden when it is somebody else's", async () => {
      const one = await given(scriptedUpstream(WHOLE));
      const first = await one.answers.open(order('Hello', { resumable: true }), cause, staying());
      await hear(first);
      const unknown = one.answers.follow('00000000-0000-4000-8000-00000000ffff', order('').userId, staying());
      expect((await refusalOf(unknown)).errorType).to.equal('not_found');
      const foreign = one.answers.follow(first.requestId, grace.userId, staying());
      expect((await refusalOf(foreign)).errorType).to.equal('forbidden');
    });

    it("is not read any further when it is found to be somebody else's", async () => {
      const one = await given(scriptedUpstream(WHOLE));
      const first = await one.answers.open(order('Hello', { resumable: true }), cause, staying());
      await hear(first);
      const positions: number[] = [];
      const read: typeof one.log.read = (requestId, from) => {
        positions.push(from);
        return one.log.read(requestId, from);
      };
      const two = await given(scriptedUpstream([]), { beside: { ...one, log: { ...one.log, read } } });
      const foreign = two.answers.follow(first.requestId, grace.userId, staying());
      expect((await refusalOf(foreign)).errorType).to.equal('forbidden');
      expect(positions).to.deep.equal([0]);
    });
  });
});
