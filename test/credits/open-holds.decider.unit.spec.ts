import { expect } from 'chai';
import type { ReserveFunds } from '../../commands/credits/credits.commands.ts';
import { creditAccountDecider as decider } from '../../commands/credits/credits.decider.ts';
import { given } from '../support/given.ts';
import { capture, history, openAccount, release, reserve } from './fixtures.ts';

/** A hold of somebody who may have so many. */
const atMost = (maxOpen: number, id: string, seconds = 1): ReserveFunds => {
  const command = reserve(id, 10n, seconds);
  return { ...command, data: { ...command.data, maxOpen } };
};

describe('how many holds a user may have at a time', () => {
  const two = [openAccount(2_000_000n), atMost(2, 'r1'), atMost(2, 'r2')];

  it('is counted by the account, whichever server asks', () => {
    const detail = given(decider, ...history(...two))
      .when(atMost(2, 'r3'))
      .thenRefused('rate_limit_error');
    expect(detail).to.equal('2 requests of this user are running; wait until one of them ends');
    expect(decider.decide(atMost(3, 'r3'), history(...two).reduce(decider.evolve, decider.initial))).to.have.length(1);
  });

  it('says nothing to a hold that is there already', () => {
    given(decider, ...history(...two))
      .when(atMost(2, 'r2'))
      .thenNothing();
  });

  for (const [how, end] of [
    ['charged', capture('r1', 1n)],
    ['given back', release('r1')],
  ] as const) {
    it(`counts none that was ${how}`, () => {
      const events = history(...two, end, atMost(2, 'r3', 3));
      expect(events.filter(({ type }) => type === 'FundsReserved')).to.have.length(3);
    });
  }

  it('counts none whose owner is dead', () => {
    const held = history(...two);
    given(decider, ...held)
      .when(atMost(2, 'r3', 30))
      .thenRefused('rate_limit_error');
    const events = history(...two, atMost(2, 'r3', 31));
    expect(events.filter(({ type }) => type === 'FundsReserved')).to.have.length(3);
  });

  it('is anything when nobody says', () => {
    const events = history(...two, reserve('r3', 10n), reserve('r4', 10n));
    expect(events.filter(({ type }) => type === 'FundsReserved')).to.have.length(4);
  });
});
