import type { SealedProfile } from '../../src/events/user/user.events.ts';
import type { Role } from '../../src/kernel/identity.ts';

/** A user who can sign in. */
export type RegisteredUser = Readonly<{
  status: 'registered';
  userId: string;
  role: Role;
  profile: SealedProfile;
  /** Keyed hashes of the provider's subjects that sign in as this user. */
  identities: readonly string[];
}>;

export type User = Readonly<{ status: 'none' }> | RegisteredUser | Readonly<{ status: 'removed'; userId: string }>;
