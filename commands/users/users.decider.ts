import type { Decider } from '../../src/kernel/decider.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { never } from '../../src/kernel/never.ts';
import type { SealedProfile, UserEvent } from '../../src/events/user/user.events.ts';
import type { ChangeRole, RemoveUser, UserCommand, WelcomeUser } from './users.commands.ts';
import type { RegisteredUser, User } from './users.state.ts';

const removed = (): DomainError => new DomainError('unauthorized', 'this account has been removed');

const register = ({ data }: WelcomeUser): readonly UserEvent[] => {
  const { userId, identityHash, email, name, role, at } = data;
  if (email === undefined) throw new Error('a user cannot be registered without an e-mail');
  const profile: SealedProfile = {
    email: email.sealed,
    emailDigest: email.digest,
    emailHash: email.hash,
    name: name?.sealed ?? null,
    nameDigest: name?.digest ?? null,
  };
  return [{ type: 'UserRegistered', data: { userId, identityHash, ...profile, role: role ?? 'user', at } }];
};

const linked = ({ data }: WelcomeUser, state: RegisteredUser): readonly UserEvent[] => {
  const { userId, identityHash, at } = data;
  if (state.identities.includes(identityHash)) return [];
  return [{ type: 'IdentityLinked', data: { userId, identityHash, at } }];
};

const emailNow = ({ data: { email } }: WelcomeUser, { profile }: RegisteredUser) => {
  // An address that nobody has verified never replaces one that somebody has.
  if (email === undefined || (email.hash === null && profile.emailHash !== null)) return {};
  if (email.digest === profile.emailDigest && email.hash === profile.emailHash) return {};
  return { email: email.sealed, emailDigest: email.digest, emailHash: email.hash };
};

const nameNow = ({ data: { name } }: WelcomeUser, { profile }: RegisteredUser) =>
  name === undefined || name.digest === profile.nameDigest ? {} : { name: name.sealed, nameDigest: name.digest };

const profiled = (command: WelcomeUser, state: RegisteredUser): readonly UserEvent[] => {
  const changes = { ...emailNow(command, state), ...nameNow(command, state) };
  if (Object.keys(changes).length === 0) return [];
  const { userId, at } = command.data;
  return [{ type: 'ProfileChanged', data: { ...state.profile, ...changes, userId, at } }];
};

const changeRole = ({ data }: Pick<ChangeRole, 'data'>, state: RegisteredUser): readonly UserEvent[] => {
  const { userId, role, at } = data;
  return role === state.role ? [] : [{ type: 'RoleChanged', data: { userId, role, at } }];
};

const welcome = (command: WelcomeUser, state: User): readonly UserEvent[] => {
  if (state.status === 'removed') throw removed();
  if (state.status === 'none') return register(command);
  const { userId, role = state.role, at } = command.data;
  return [...linked(command, state), ...profiled(command, state), ...changeRole({ data: { userId, role, at } }, state)];
};

const remove = ({ data }: RemoveUser, state: User): readonly UserEvent[] =>
  state.status === 'registered' ? [{ type: 'UserRemoved', data }] : [];

const decide = (command: UserCommand, state: User): readonly UserEvent[] => {
  switch (command.type) {
    case 'WelcomeUser':
      return welcome(command, state);
    case 'ChangeRole':
      if (state.status !== 'registered') throw new DomainError('not_found', 'there is no such user');
      return changeRole(command, state);
    case 'RemoveUser':
      return remove(command, state);
    default:
      return never(command);
  }
};

const registered = (data: Extract<UserEvent, { type: 'UserRegistered' }>['data']): RegisteredUser => {
  const { userId, role, identityHash, email, emailDigest, emailHash, name, nameDigest } = data;
  const profile = { email, emailDigest, emailHash, name, nameDigest };
  return { status: 'registered', userId, role, identities: [identityHash], profile };
};

const evolveRegistered = (state: RegisteredUser, event: UserEvent): User => {
  switch (event.type) {
    case 'UserRegistered':
      return state;
    case 'IdentityLinked':
      return { ...state, identities: [...state.identities, event.data.identityHash] };
    case 'ProfileChanged': {
      const { email, emailDigest, emailHash, name, nameDigest } = event.data;
      return { ...state, profile: { email, emailDigest, emailHash, name, nameDigest } };
    }
    case 'RoleChanged':
      return { ...state, role: event.data.role };
    case 'UserRemoved':
      return { status: 'removed', userId: event.data.userId };
    default:
      return state;
  }
};

const evolve = (state: User, event: UserEvent): User => {
  if (state.status === 'registered') return evolveRegistered(state, event);
  if (state.status === 'none' && event.type === 'UserRegistered') return registered(event.data);
  return state;
};

/** Who a user is and what they may do. A removed user stays removed. */
export const userDecider: Decider<User, UserCommand, UserEvent> = { initial: { status: 'none' }, evolve, decide };
