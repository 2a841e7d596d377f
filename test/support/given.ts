import { expect } from 'chai';
import { fold, type Decider } from '../../src/kernel/decider.ts';
import { isDomainError, type ErrorType } from '../../src/kernel/errors.ts';
import type { Command, Event } from '../../src/kernel/message.ts';

/** What became of one command on a history. */
type Outcome<State, E extends Event> = Readonly<{
  /** The decision is exactly these events; they must also be readable by `evolve`. Hands the new state on. */
  thenEvents: (...expected: readonly NoInfer<E>[]) => State;
  thenNothing: () => void;
  /** The command is refused with this error type. Hands the refusal's detail on. */
  thenRefused: (errorType: ErrorType) => string;
}>;

type Given<State, C extends Command, E extends Event> = Readonly<{
  /** The state after the history. */
  state: State;
  when: (command: C) => Outcome<State, E>;
}>;

/** A history of one aggregate, to decide a command on: `given(decider, ...events).when(command).thenEvents(...)`. */
export const given = <State, C extends Command, E extends Event>(
  decider: Decider<State, C, E>,
  ...history: readonly NoInfer<E>[]
): Given<State, C, E> => {
  const state = fold(decider, decider.initial, history);
  const when = (command: C): Outcome<State, E> => ({
    thenEvents: (...expected) => {
      const decided = decider.decide(command, state);
      expect(decided).to.deep.equal(expected);
      return fold(decider, state, decided);
    },
    thenNothing: () => {
      expect(decider.decide(command, state)).to.deep.equal([]);
    },
    thenRefused: (errorType) => {
      try {
        decider.decide(command, state);
      } catch (error) {
        if (!isDomainError(error)) throw error;
        expect(error.errorType).to.equal(errorType);
        return error.detail;
      }
      return expect.fail(`the command was not refused with ${errorType}`);
    },
  });
  return { state, when };
};
