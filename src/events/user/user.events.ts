import type { Role } from '../../kernel/identity.ts';
import type { Event, IsoTime } from '../../kernel/message.ts';
import type { Sealed } from '../../kernel/vault.ts';

/** Who the user is, readable only with the user's key. A digest tells whether a plaintext has changed. */
export type SealedProfile = Readonly<{
  email: Sealed;
  emailDigest: string;
  /** The claim that the user holds on the address (`email-<emailHash>`); null when the address is not verified. */
  emailHash: string | null;
  name: Sealed | null;
  nameDigest: string | null;
}>;

export type UserRegistered = Event<
  'UserRegistered',
  SealedProfile & Readonly<{ userId: string; identityHash: string; role: Role; at: IsoTime }>
>;

/** Another way to sign in as the same user, recognised by its verified e-mail. */
export type IdentityLinked = Event<'IdentityLinked', Readonly<{ userId: string; identityHash: string; at: IsoTime }>>;

export type ProfileChanged = Event<'ProfileChanged', SealedProfile & Readonly<{ userId: string; at: IsoTime }>>;

export type RoleChanged = Event<'RoleChanged', Readonly<{ userId: string; role: Role; at: IsoTime }>>;

/** The tombstone: no token and no sign-in brings this user back. */
export type UserRemoved = Event<'UserRemoved', Readonly<{ userId: string; at: IsoTime }>>;

export type UserEvent = UserRegistered | IdentityLinked | ProfileChanged | RoleChanged | UserRemoved;

/** Streams are `user-<userId>`; sealed members use the stream's name as their context. */
export const USER = 'user';
