import { expect } from 'chai';
import fc from 'fast-check';
import { refusalFor } from '../../commands/completions/upstream-refusal.ts';
import { upstreamGuard, type GuardLimits, type UpstreamGuard } from '../../infra/providers/shared/upstream-guard.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { isUpstreamError, UpstreamError, type UpstreamEvent, type UpstreamFailure } from '../../src/kernel/upstream.ts';
import { eventually } from '../support/eventually.ts';
import { memoryLogger } from '../support/memory-logger.ts';

type Batches = AsyncIterable<readonly UpstreamEvent[]>;

const LIMITS: GuardLimits = {
  maxConcurrent: 2,
  maxQueued: 2,
  queueWaitMs: 5_000,
  failuresToOpen: 3,
  openMs: 1_000,
  longestRestMs: 60_000,
};

/** A guard whose clock stands still until it is moved. */
const givenGuard = (over: Partial<GuardLimits> = {}) => {
  let ahead = 0;
  const { logger, lines } = memoryLogger();
  const clock = (): Date => new Date(Date.now() + ahead);
  const guard = upstreamGuard({ ...LIMITS, ...over, provider: 'openai', clock, logger });
  const later = (milliseconds: number): void => void (ahead += milliseconds);
  return { guard, lines, later };
};

const here = (): { signal: AbortSignal } => ({ signal: new AbortController().signal });
const model = { model: 'gpt' };
const failing = (kind: UpstreamFailure, over: Partial<UpstreamError> = {}) =>
  Promise.reject(new UpstreamError({ provider: 'openai', kind, ...over }));

const failureOf = async (attempt: Promise<unknown>): Promise<UpstreamError> => {
  try {
    await attempt;
  } catch (error) {
    if (isUpstreamError(error)) return error;
    throw error;
  }
  return expect.fail('it did not fail');
};

const batches = async function* (count: number, breaks?: UpstreamFailure): AsyncGenerator<readonly UpstreamEvent[]> {
  for (let index = 0; index < count; index += 1) {
    await Promise.resolve();
    yield [{ type: 'text', text: 'x' }];
  }
  if (breaks !== undefined) throw new UpstreamError({ provider: 'openai', kind: breaks });
};

const stream = (guard: UpstreamGuard, answer: Batches = batches(1), options = here()): Promise<Batches> =>
  guard.stream(model, options, () => Promise.resolve(answer));

const readOut = async (answer: Batches): Promise<number> => {
  let count = 0;
  for await (const batch of answer) count += batch.length;
  return count;
};

const failInARow = async (guard: UpstreamGuard, times: number, kind: UpstreamFailure = 'server'): Promise<void> => {
  for (let index = 0; index < times; index += 1) {
    await failureOf(guard.stream(model, here(), () => failing(kind, { status: 500 })));
  }
};

describe('the guard of an upstream', () => {
  describe('with room for two', () => {
    it('lets a third wait until one of them is over', async () => {
      const { guard } = givenGuard();
      const first = await stream(guard);
      await stream(guard);
      const third = stream(guard);
      expect([guard.taken(), guard.waiting()]).to.deep.equal([2, 1]);
      expect(await readOut(first)).to.equal(1);
      expect(await readOut(await third)).to.equal(1);
      expect([guard.taken(), guard.waiting()]).to.deep.equal([1, 0]);
    });

    it('lets them in in the order of their coming', async () => {
      const { guard } = givenGuard({ maxConcurrent: 1 });
      const first = await stream(guard);
      const order: string[] = [];
      const waiting = ['a', 'b'].map((name) =>
        stream(guard).then((answer) => {
          order.push(name);
          return readOut(answer);
        }),
      );
      await readOut(first);
      await Promise.all(waiting);
      expect(order).to.deep.equal(['a', 'b']);
    });

    it('refuses who finds the queue full, as a limit of this server', async () => {
      const { guard } = givenGuard({ maxQueued: 0 });
      await stream(guard);
      await stream(guard);
      const failure = await failureOf(stream(guard));
      expect(failure).to.include({ kind: 'overloaded', neverReached: true, status: undefined });
      const refusal = refusalFor(failure);
      expect(isDomainError(refusal)).to.equal(true);
      expect(refusal).to.include({ errorType: 'service_unavailable', retryAfterSeconds: 2 });
    });

    it('refuses who has waited too long', async () => {
      const { guard } = givenGuard({ queueWaitMs: 5 });
      await stream(guard);
      await stream(guard);
      expect(await failureOf(stream(guard))).to.include({ kind: 'overloaded', neverReached: true });
      expect(guard.waiting()).to.equal(0);
    });

    it('forgets who leaves the queue, and calls nobody for them', async () => {
      const { guard } = givenGuard({ maxConcurrent: 1 });
      const first = await stream(guard);
      for (const by of ['signal', 'unwanted'] as const) {
        const leaving = new AbortController();
        let called = false;
        const options = { ...here(), [by]: leaving.signal };
        const attempt = guard.stream(model, options, () => {
          called = true;
          return Promise.resolve(batches(1));
        });
        expect(guard.waiting()).to.equal(1);
        leaving.abort();
        expect(await failureOf(attempt)).to.include({ kind: 'aborted', neverReached: true });
        expect([guard.waiting(), called]).to.deep.equal([0, false]);
      }
      await readOut(first);
      expect(guard.taken()).to.equal(0);
    });

    it('goes on with a call that has begun when it is merely unwanted', async () => {
      const { guard } = givenGuard();
      const leaving = new AbortController();
      const answer = await stream(guard, batches(3), { ...here(), unwanted: leaving.signal } as never);
      leaving.abort();
      expect(guard.taken()).to.equal(1);
      expect(await readOut(answer)).to.equal(3);
    });

    it('gives a place back at the end, on a break, on leaving and on abort, once', async () => {
      const { guard } = givenGuard();
      await readOut(await stream(guard));
      expect(guard.taken()).to.equal(0);
      await failureOf(readOut(await stream(guard, batches(1, 'network'))));
      expect(guard.taken()).to.equal(0);
      for await (const batch of await stream(guard, batches(5))) {
        expect(batch).to.have.length(1);
        break;
      }
      expect(guard.taken()).to.equal(0);
      const aborting = new AbortController();
      const answer = await stream(guard, batches(5), { signal: aborting.signal });
      aborting.abort();
      expect(guard.taken()).to.equal(0);
      await readOut(answer);
      expect(guard.taken()).to.equal(0);
      await failureOf(guard.stream(model, here(), () => failing('invalid_request', { status: 400 })));
      await failureOf(guard.once(model, here(), () => failing('server', { status: 500 })));
      expect(await guard.once(model, here(), () => Promise.resolve(7))).to.equal(7);
      expect(guard.taken()).to.equal(0);
    });

    it('loses no place, whatever happens', async () => {
      const act = fc.constantFrom('end', 'break', 'leave', 'abort', 'abandon', 'refuse', 'quit');
      await fc.assert(
        fc.asyncProperty(fc.array(act, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), async (acts, room) => {
          const { guard } = givenGuard({ maxConcurrent: room, maxQueued: 5, failuresToOpen: Infinity });
          let most = 0;
          await Promise.all(
            acts.map(async (how) => {
              const aborting = new AbortController();
              const unwanted = new AbortController();
              const options = { signal: aborting.signal, unwanted: unwanted.signal };
              if (how === 'quit') setImmediate(() => unwanted.abort());
              try {
                const answer = await guard.stream(model, options, async () => {
                  most = Math.max(most, guard.taken());
                  await Promise.resolve();
                  if (how === 'refuse') throw new UpstreamError({ provider: 'openai', kind: 'server', status: 500 });
                  return batches(3, how === 'break' ? 'network' : undefined);
                });
                if (how === 'abort') setImmediate(() => aborting.abort());
                if (how === 'abandon') return aborting.abort();
                for await (const batch of answer) {
                  if (how === 'leave' && batch.length > 0) return;
                }
              } catch (error) {
                if (!isUpstreamError(error)) throw error;
              }
            }),
          );
          expect(most).to.be.at.most(room);
          expect([guard.taken(), guard.waiting()]).to.deep.equal([0, 0]);
        }),
        { numRuns: 100 },
      );
    });
  });

  describe('after failures in a row', () => {
    it('leaves the upstream alone, says so once and tries it again after a while', async () => {
      const { guard, lines, later } = givenGuard({ openMs: 50 });
      await failInARow(guard, 3);
      let called = 0;
      const call = (): Promise<Batches> => {
        called += 1;
        return Promise.resolve(batches(1));
      };
      const failure = await failureOf(guard.stream(model, here(), call));
      expect(failure).to.include({ kind: 'overloaded', neverReached: true });
      expect(failure.retryAfterMs).to.be.within(1, 50);
      expect(called).to.equal(0);
      // The trial fails: it stays alone, which is no news.
      await eventually('a trial', async () => {
        later(5);
        const tried = await failureOf(guard.stream(model, here(), () => failing('network')));
        return tried.kind === 'network' ? true : undefined;
      });
      expect(await failureOf(guard.stream(model, here(), call))).to.include({ kind: 'overloaded' });
      await eventually('a trial that succeeds', () => guard.stream(model, here(), call).then(readOut, () => undefined));
      await readOut(await guard.stream(model, here(), call));
      expect(lines.map(({ level, message }) => `${level}: ${message}`)).to.deep.equal([
        'warn: a provider fails; it is left alone',
        'info: a provider answers again',
      ]);
    });

    it('lets only one call try it, but waits for no trial that hangs', async () => {
      const { guard, later } = givenGuard({ openMs: 20 });
      await failInARow(guard, 3);
      const gate = Promise.withResolvers<Batches>();
      let trials = 0;
      await eventually('a trial', () => {
        const before = trials;
        void guard
          .stream(model, here(), () => {
            trials += 1;
            return gate.promise;
          })
          .catch(() => undefined);
        return trials > before ? true : undefined;
      });
      expect(await failureOf(stream(guard))).to.include({ kind: 'overloaded' });
      later(1_000);
      expect(await readOut(await stream(guard))).to.equal(1);
      gate.resolve(batches(1));
      expect(trials).to.equal(1);
    });

    it('learns nothing from a trial whose client left', async () => {
      const { guard } = givenGuard({ openMs: 20 });
      await failInARow(guard, 3);
      await eventually('a trial', async () => {
        const failure = await failureOf(guard.stream(model, here(), () => failing('aborted')));
        return failure.kind === 'aborted' ? true : undefined;
      });
      expect(await failureOf(stream(guard))).to.include({ kind: 'overloaded' });
    });

    it('counts answers that break in the middle', async () => {
      const { guard } = givenGuard();
      for (let index = 0; index < 3; index += 1) {
        const answer = await guard
          .stream(model, here(), () =>
            index === 0 ? Promise.resolve(batches(1, 'overloaded')) : failing('server', { status: 500 }),
          )
          .catch(() => undefined);
        if (answer !== undefined) await failureOf(readOut(answer));
      }
      expect(await failureOf(stream(guard))).to.include({ kind: 'overloaded', neverReached: true });
    });

    for (const [kind, status] of [
      ['invalid_request', 400],
      ['auth', 401],
      ['quota', 429],
      ['auth', 403],
      ['not_found', 404],
      ['context_length', 413],
      ['aborted', undefined],
      ['protocol', undefined],
    ] as const) {
      it(`does not count ${kind} ${status ?? ''} among them`, async () => {
        const { guard } = givenGuard();
        for (let index = 0; index < 10; index += 1) {
          await failureOf(guard.stream(model, here(), () => failing(kind, { status })));
        }
        expect(await readOut(await stream(guard))).to.equal(1);
      });
    }

    it('forgets failures that a good answer follows', async () => {
      const { guard } = givenGuard();
      await failInARow(guard, 2);
      await readOut(await stream(guard));
      await failInARow(guard, 2);
      expect(await readOut(await stream(guard))).to.equal(1);
    });
  });

  describe('asked for a rest', () => {
    const refused = (retryAfterMs: number) => () => failing('rate_limit', { status: 429, retryAfterMs });

    it('leaves that model alone until then, and no other', async () => {
      const { guard, later } = givenGuard();
      await failureOf(guard.stream(model, here(), refused(2_000)));
      const failure = await failureOf(stream(guard));
      expect(failure).to.include({ kind: 'rate_limit', neverReached: true });
      expect(failure.retryAfterMs).to.be.within(1, 2_000);
      const other = await guard.stream({ model: 'mini' }, here(), () => Promise.resolve(batches(1)));
      expect(await readOut(other)).to.equal(1);
      later(2_000);
      expect(await readOut(await stream(guard))).to.equal(1);
    });

    it('believes nobody for too long', async () => {
      const { guard, later } = givenGuard();
      await failureOf(guard.stream(model, here(), refused(86_400_000)));
      expect((await failureOf(stream(guard))).retryAfterMs).to.be.at.most(60_000);
      later(60_000);
      expect(await readOut(await stream(guard))).to.equal(1);
    });

    it('lets nobody through who waited for a place meanwhile', async () => {
      const { guard } = givenGuard({ maxConcurrent: 1 });
      const gate = Promise.withResolvers<undefined>();
      const first = guard.stream(model, here(), async () => {
        await gate.promise;
        return refused(2_000)();
      });
      const second = failureOf(stream(guard));
      gate.resolve(undefined);
      await failureOf(first);
      expect(await second).to.include({ kind: 'rate_limit', neverReached: true });
      expect(guard.taken()).to.equal(0);
    });
  });
});
