import type { Command, Event } from './message.ts';

/** The whole write model of one aggregate. All three parts are pure. */
export type Decider<State, C extends Command, E extends Event> = Readonly<{
  initial: State;
  /** Total: must not throw on any recorded event. */
  evolve: (state: State, event: E) => State;
  /** An empty list means that there is nothing to say; a refusal is thrown as a DomainError. */
  decide: (command: C, state: State) => readonly E[];
}>;

/** The state after `events`, starting from `state`. */
export const fold = <State, E extends Event>(
  decider: Pick<Decider<State, Command, E>, 'evolve'>,
  state: State,
  events: readonly E[],
): State => events.reduce((current, event) => decider.evolve(current, event), state);
