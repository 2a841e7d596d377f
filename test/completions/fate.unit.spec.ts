import { expect } from 'chai';
import { claimedInTime, fateOf } from '../../commands/completions/answers/fate.ts';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import { creditAccount } from '../../commands/credits/index.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { at, capture, metered, openAccount, release, reserve, USER } from '../credits/fixtures.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';

const R = 'r1';

/** An account on which these commands were given, and what becomes of a request as seen after some seconds. */
const givenAccount = async (...commands: readonly CreditCommand[]) => {
  const store = memoryEventStore();
  const credits = commandHandler(creditAccount, { store, logger: silentLogger, pause: () => Promise.resolve() });
  const send = async (command: CreditCommand) => {
    const { at: time } = command.data;
    await credits.handle(USER, command, {
      at: time,
      correlationId: 'c',
      causationId: 'c',
      actor: { kind: 'system', id: 'system' },
    });
  };
  for (const command of [openAccount(5_000_000n), ...commands]) await send(command);
  const fate = (seconds: number) =>
    fateOf({ store, credits, clock: () => new Date(at(seconds)) }, { userId: USER, requestId: R, startedAt: at(1) });
  const types = () => store.log().map(({ type }) => type);
  return { send, fate, types };
};

const checkpoint: CreditCommand = {
  type: 'RenewReservation',
  key: `renew:${R}:1`,
  data: { reservationId: R, leaseUntil: at(60), soFar: metered(123n), at: at(20) },
};

describe('what became of a request whose owner is silent', () => {
  it('is open as long as its lease and the grace after it run', async () => {
    const { fate, types } = await givenAccount(reserve(R, 1_000n));
    expect(await fate(33)).to.deep.equal({ kind: 'open' });
    expect(types().at(-1)).to.equal('FundsReserved');
  });

  it('is the charge when there was one', async () => {
    const { fate } = await givenAccount(reserve(R, 1_000n), capture(R, 321n));
    expect(await fate(5)).to.include({ kind: 'charged', charged: 321n });
  });

  it('is what the last checkpoint said when the lease is over, without waiting for the sweeper', async () => {
    const { fate } = await givenAccount(reserve(R, 1_000n), checkpoint);
    expect(await fate(62)).to.deep.equal({ kind: 'open' });
    expect(await fate(64)).to.include({ kind: 'charged', charged: 123n });
  });

  it('is free when the money was given back', async () => {
    const { fate } = await givenAccount(reserve(R, 1_000n), release(R));
    expect(await fate(5)).to.deep.equal({ kind: 'free' });
  });

  it('is free when its lease ended without a checkpoint, and an owner that comes back late charges nothing', async () => {
    const { fate, send, types } = await givenAccount(reserve(R, 1_000n));
    expect(await fate(40)).to.deep.equal({ kind: 'free' });
    await send(capture(R, 999n, 41));
    expect(types()).to.not.include('ReservationCaptured');
    expect(await fate(42)).to.deep.equal({ kind: 'free' });
  });

  it('is the late charge when the owner came back before anybody looked', async () => {
    const { fate, send } = await givenAccount(reserve(R, 1_000n));
    await send({ type: 'SettleAbandoned', key: `settle:${R}`, data: { reservationId: R, graceMs: 3_000, at: at(36) } });
    await send(capture(R, 999n, 37));
    expect(await fate(40)).to.include({ kind: 'charged', charged: 999n });
  });

  it('is open, and then free, when no money was ever held: by then its owner may not go on', async () => {
    const { fate } = await givenAccount();
    expect(await fate(33)).to.deep.equal({ kind: 'open' });
    expect(await fate(35)).to.deep.equal({ kind: 'free' });
    const claimedAt = new Date(at(1));
    expect(claimedInTime(claimedAt, new Date(at(15)))).to.equal(true);
    expect(claimedInTime(claimedAt, new Date(at(17)))).to.equal(false);
  });

  it('is found behind everything that was said since', async () => {
    const others = Array.from({ length: 150 }, (_, n) => [reserve(`o${n}`, 1n, 2), release(`o${n}`, 3)]).flat();
    const { fate } = await givenAccount(reserve(R, 1_000n), capture(R, 321n), ...others);
    expect(await fate(5)).to.include({ kind: 'charged', charged: 321n });
  });
});
