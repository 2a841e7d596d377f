import type { Role } from '../../src/kernel/identity.ts';
import type { Command, IsoTime } from '../../src/kernel/message.ts';
import type { Sealed } from '../../src/kernel/vault.ts';

/** A sealed value and the digest of its plaintext. */
export type SealedText = Readonly<{ sealed: Sealed; digest: string }>;

/**
 * What the provider says of the user at a sign-in: registers them at the first one, notes changes at later ones.
 * Members that are undefined are not told and stay as they are. Key `welcome:<signInId>`.
 */
export type WelcomeUser = Command<
  'WelcomeUser',
  Readonly<{
    userId: string;
    identityHash: string;
    /** Always told at the first sign-in. `hash` is the claim that the user holds on it, null when it is not verified. */
    email: (SealedText & Readonly<{ hash: string | null }>) | undefined;
    name: SealedText | undefined;
    role: Role | undefined;
    at: IsoTime;
  }>
>;

/** Gives the user another role. Key `role:<requestId>`. */
export type ChangeRole = Command<'ChangeRole', Readonly<{ userId: string; role: Role; at: IsoTime }>>;

/** Ends the user for ever. Key `remove:<userId>`. */
export type RemoveUser = Command<'RemoveUser', Readonly<{ userId: string; at: IsoTime }>>;

export type UserCommand = WelcomeUser | ChangeRole | RemoveUser;
