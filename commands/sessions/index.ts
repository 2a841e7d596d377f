import type { Aggregate } from '../../src/kernel/aggregate.ts';
import { SESSION, type SessionEvent } from '../../src/events/session/session.events.ts';
import { sessionUpcasters } from '../../src/events/session/session.upcasters.ts';
import type { SessionCommand } from './sessions.commands.ts';
import { sessionDecider } from './sessions.decider.ts';
import type { Session } from './sessions.state.ts';

/** The session, by session id. */
export const sessionAggregate: Aggregate<Session, SessionCommand, SessionEvent> = {
  category: SESSION,
  decider: sessionDecider,
  upcasters: sessionUpcasters,
};
