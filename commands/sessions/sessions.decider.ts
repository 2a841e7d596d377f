import { isoAfter, notAfter } from '../../src/kernel/clock.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { never } from '../../src/kernel/never.ts';
import type { SessionEvent } from '../../src/events/session/session.events.ts';
import type { RefreshSession, RevokeSession, SessionCommand, SignOut, StartSession } from './sessions.commands.ts';
import { ONE_REFRESH_MS, type OpenSession, type Session } from './sessions.state.ts';

const over = (why: string): DomainError => new DomainError('authentication_error', `${why}; sign in again`);

const start = ({ data }: StartSession, state: Session): readonly SessionEvent[] => {
  if (state.status === 'ended') throw over('the session has ended');
  if (state.status === 'open' && state.userId !== data.userId) throw over('the session is somebody else’s');
  return state.status === 'open' ? [] : [{ type: 'SignedIn', data: { ...data, origin: 'login' } }];
};

const refresh = ({ data }: RefreshSession, state: Session): readonly SessionEvent[] => {
  const { sessionId, userId, deviceId, at } = data;
  switch (state.status) {
    case 'none':
      return [{ type: 'SignedIn', data: { ...data, origin: 'adopted' } }];
    case 'ended':
      throw over('the session has ended');
    case 'open': {
      if (state.userId !== userId) throw over('the session is somebody else’s');
      const { expiresAt, seenAt } = state;
      if (notAfter(expiresAt, at)) throw over('the session has reached its greatest age');
      if (state.deviceId === deviceId && notAfter(at, isoAfter(seenAt, ONE_REFRESH_MS))) return [];
      return [{ type: 'SessionRefreshed', data: { sessionId, userId, deviceId, expiresAt, at } }];
    }
    default:
      return never(state);
  }
};

const end = (command: SignOut | RevokeSession, state: Session): readonly SessionEvent[] => {
  if (state.status === 'ended') return [];
  const known = state.status === 'open' ? { userId: state.userId, expiresAt: state.expiresAt } : {};
  if (command.type === 'SignOut') return [{ type: 'SignedOut', data: { ...command.data, ...known } }];
  return [{ type: 'SessionRevoked', data: { ...command.data, ...known } }];
};

const decide = (command: SessionCommand, state: Session): readonly SessionEvent[] => {
  switch (command.type) {
    case 'StartSession':
      return start(command, state);
    case 'RefreshSession':
      return refresh(command, state);
    case 'SignOut':
    case 'RevokeSession':
      return end(command, state);
    default:
      return never(command);
  }
};

const open = ({
  userId,
  deviceId,
  expiresAt,
  at,
}: Omit<OpenSession, 'status' | 'seenAt'> & { at: string }): Session => ({
  status: 'open',
  userId,
  deviceId,
  expiresAt,
  seenAt: at,
});

const evolve = (state: Session, event: SessionEvent): Session => {
  if (state.status === 'ended') return state;
  switch (event.type) {
    case 'SignedIn':
    case 'SessionRefreshed':
      return open(event.data);
    case 'SignedOut':
    case 'SessionRevoked':
      return { status: 'ended', userId: event.data.userId, expiresAt: event.data.expiresAt };
    default:
      return state;
  }
};

/** The life of a session. An ended one stays ended. */
export const sessionDecider: Decider<Session, SessionCommand, SessionEvent> = {
  initial: { status: 'none' },
  evolve,
  decide,
};
