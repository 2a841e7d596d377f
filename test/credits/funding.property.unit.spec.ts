import { expect } from 'chai';
import fc from 'fast-check';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import { creditAccountDecider as decider } from '../../commands/credits/credits.decider.ts';
import { creditAccountSnapshot } from '../../commands/credits/credits.snapshot.ts';
import type { CreditAccount } from '../../commands/credits/credits.state.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { fold } from '../../src/kernel/decider.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { accountCommands } from '../billing/account-runs.ts';
import { checked } from './account-invariants.ts';
import { runs } from '../support/runs.ts';

/** Each of these is another wish each time it comes; all others may be sent any number of times. */
const AGAIN = new Set<CreditCommand['type']>(['ExtendReservation', 'RenewReservation', 'ExpirePromo', 'CloseBooks']);

const decided = (command: CreditCommand, state: CreditAccount): readonly CreditAccountEvent[] | undefined => {
  try {
    return decider.decide(command, state);
  } catch (error) {
    if (isDomainError(error)) return undefined;
    throw error;
  }
};

const throughJson = (state: CreditAccount): CreditAccount =>
  creditAccountSnapshot.fromJson(JSON.parse(JSON.stringify(creditAccountSnapshot.toJson(state))) as unknown);

const isUnfinished = (state: CreditAccount, command: CreditCommand): boolean =>
  command.type === 'CaptureReservation' &&
  state.status === 'open' &&
  state.settled.some(
    ({ reservationId, unfinished }) => reservationId === command.data.reservationId && unfinished !== null,
  );

describe('credit account, for everything that can be asked of it, in any order', () => {
  it('keeps every invariant after every event, whatever is lost, repeated or restarted', () => {
    fc.assert(
      fc.property(accountCommands, fc.array(fc.nat(), { maxLength: 60 }), (commands, repeats) => {
        let state: CreditAccount = decider.initial;
        const events: CreditAccountEvent[] = [];
        const done: CreditCommand[] = [];
        commands.forEach((command, step) => {
          const said = decided(command, state);
          if (said !== undefined) {
            state = checked(state, said);
            events.push(...said);
            if (said.length > 0 && !AGAIN.has(command.type)) done.push(command);
          }
          // A crash: the state is read again, and somebody sends a command again whose answer was lost.
          const repeat = repeats[step];
          if (repeat === undefined || done.length === 0) return;
          state = throughJson(state);
          const lost = done[repeat % done.length]!;
          if (!isUnfinished(state, lost)) {
            expect(decided(lost, state) ?? [], `${lost.type} again`).to.deep.equal([]);
          }
        });
        expect(fold(decider, decider.initial, events), 'a replay').to.deep.equal(state);
      }),
      { numRuns: runs(600) },
    );
  });
});
