import type { Aggregate } from '../../src/kernel/aggregate.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import type { Command, Event, IsoTime } from '../../src/kernel/message.ts';
import { never } from '../../src/kernel/never.ts';
import { EMAIL, IDENTITY, type EmailEvent, type IdentityEvent } from '../../src/events/identity/identity.events.ts';
import { emailUpcasters, identityUpcasters } from '../../src/events/identity/identity.upcasters.ts';

type Ownership = Readonly<{ userId: string; at: IsoTime }>;

/** Takes what is free; says nothing when somebody has it already. Key `claim:<signInId>`. */
type Claim = Command<'Claim', Ownership>;

/** Gives back what this user holds; says nothing when it is not theirs. Key `release:<signInId>`. */
type Release = Command<'Release', Ownership>;

export type ClaimCommand = Claim | Release;

/** Who owns the thing, and how often it has been given back. */
export type ClaimState = Readonly<{ owner: string | undefined; released: number }>;

const claimDecider = <Claimed extends string, Released extends string>(
  claimed: Claimed,
  released: Released,
): Decider<ClaimState, ClaimCommand, Event<Claimed, Ownership> | Event<Released, Ownership>> => ({
  initial: { owner: undefined, released: 0 },
  evolve: (state, event) =>
    event.type === claimed
      ? { ...state, owner: event.data.userId }
      : { owner: undefined, released: state.released + 1 },
  decide: (command, { owner }) => {
    const { userId, at } = command.data;
    switch (command.type) {
      case 'Claim':
        return owner === undefined ? [{ type: claimed, data: { userId, at } }] : [];
      case 'Release':
        return owner === userId ? [{ type: released, data: { userId, at } }] : [];
      default:
        return never(command);
    }
  },
});

/** Which user a person of the identity provider is. */
export const identityAggregate: Aggregate<ClaimState, ClaimCommand, IdentityEvent> = {
  category: IDENTITY,
  decider: claimDecider('IdentityClaimed', 'IdentityReleased'),
  upcasters: identityUpcasters,
};

/** Which user a verified e-mail belongs to. */
export const emailAggregate: Aggregate<ClaimState, ClaimCommand, EmailEvent> = {
  category: EMAIL,
  decider: claimDecider('EmailClaimed', 'EmailReleased'),
  upcasters: emailUpcasters,
};
