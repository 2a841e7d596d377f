import type { Aggregate } from '../../src/kernel/aggregate.ts';
import { USER, type UserEvent } from '../../src/events/user/user.events.ts';
import { userUpcasters } from '../../src/events/user/user.upcasters.ts';
import type { UserCommand } from './users.commands.ts';
import { userDecider } from './users.decider.ts';
import type { User } from './users.state.ts';

/** The user, by user id. */
export const userAggregate: Aggregate<User, UserCommand, UserEvent> = {
  category: USER,
  decider: userDecider,
  upcasters: userUpcasters,
};
