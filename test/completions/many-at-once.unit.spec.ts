import { expect } from 'chai';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { refusalOf } from '../support/refusal-of.ts';
import { attempt, givenAttempts, listening } from './given-attempts.ts';
import { started, text } from './scripted-upstream.ts';

const endless = () => attempt('openai', [{ say: [started, text('one'), 'silence'] }]);

describe('requests at the same time', () => {
  it('of one user are limited over all servers together', async () => {
    const store = memoryEventStore();
    const options = { store, maxConcurrentPerUser: 2 };
    const here = await givenAttempts([endless()], options);
    const there = await givenAttempts([endless()], { ...options, firstId: 100 });
    const first = await here.begin();
    await there.begin();
    for (const server of [here, there]) {
      expect(await refusalOf(server.begin())).to.include({ errorType: 'rate_limit_error', retryAfterSeconds: 1 });
      expect(server.completions.active()).to.equal(1);
    }
    await first.stop('cancel');
    await first.settled;
    await there.begin();
    for (const { completions } of [here, there]) await completions.shutdown({ graceMs: 0, limitMs: 1_000 });
    expect(here.standing().held).to.equal('0');
  });

  it('that begin while the server goes down are ended with the others', async () => {
    const store = memoryEventStore();
    const reserving = Promise.withResolvers<undefined>();
    const given = await givenAttempts([endless()], { store });
    store.beforeAppend(async (_stream, [event]) => {
      if (event?.type === 'FundsReserved') await reserving.promise;
    });
    const opening = refusalOf(given.begin());
    // All that run have been told to stop when this is over.
    await given.completions.shutdown({ graceMs: 0, limitMs: 0 });
    const down = given.completions.shutdown({ graceMs: 5_000, limitMs: 5_000 });
    reserving.resolve(undefined);
    expect((await opening).errorType).to.equal('service_unavailable');
    await down;
    expect(given.types()).to.deep.equal(['FundsReserved', 'ReservationReleased']);
    expect(given.standing().held).to.equal('0');
    expect((await refusalOf(given.begin())).errorType).to.equal('service_unavailable');
  });

  it('may end by themselves while the server goes down, also those that just begin', async () => {
    const store = memoryEventStore();
    const reserving = Promise.withResolvers<undefined>();
    const given = await givenAttempts([attempt('openai', [{ say: [started, text('one')] }])], { store });
    store.beforeAppend(async (_stream, [event]) => {
      if (event?.type === 'FundsReserved') await reserving.promise;
    });
    const opening = given.begin();
    const down = given.completions.shutdown({ graceMs: 5_000, limitMs: 5_000 });
    reserving.resolve(undefined);
    const ended = await (await opening).deliver(listening());
    expect(ended).to.include({ how: 'completed' });
    await down;
    expect(given.types()).to.deep.equal(['FundsReserved', 'ReservationCaptured']);
  });
});
