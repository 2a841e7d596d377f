import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { Profile } from '../../src/kernel/identity.ts';
import type { Cause, IsoTime } from '../../src/kernel/message.ts';
import type { SubjectVault } from '../../src/kernel/vault.ts';
import { USER, type UserEvent } from '../../src/events/user/user.events.ts';
import type { EmailEvent, IdentityEvent } from '../../src/events/identity/identity.events.ts';
import type { ClaimCommand, ClaimState } from './claims.ts';
import type { IdentityHashes } from './identity-hash.ts';
import type { UserCommand, WelcomeUser } from './users.commands.ts';
import type { RegisteredUser, User } from './users.state.ts';

export type RecogniseDeps = Readonly<{
  identities: CommandHandler<ClaimState, ClaimCommand, IdentityEvent>;
  emails: CommandHandler<ClaimState, ClaimCommand, EmailEvent>;
  users: CommandHandler<User, UserCommand, UserEvent>;
  vault: SubjectVault;
  hashes: IdentityHashes;
}>;

/** `proof`: a login at the provider makes a removed person somebody new; an old token brings nobody back. */
export type Recognition = Readonly<{ person: Profile; proof: 'login' | 'token'; key: string; at: IsoTime }>;

/** The user, and whether the person was somebody else here before. */
export type Recognised = Readonly<{ user: RegisteredUser; returned: boolean }>;

const gone = (): DomainError => new DomainError('unauthorized', 'this account has been removed');

/** The user id of a person: follows from who they are, so that two first logins at once and a crash in between agree. */
const userIdFor = (subjectHash: string, timesReleased: number): string =>
  uuidOf(timesReleased === 0 ? `user|${subjectHash}` : `user|${subjectHash}|${timesReleased}`);

/**
 * Finds the user of a person, or makes them: by the provider's subject, else by verified e-mail, else new. Every step
 * may be repeated; whoever repeats it after a crash or beside a rival ends with the same user.
 */
export const recogniser = ({ identities, emails, users, vault, hashes }: RecogniseDeps) => {
  type Asked = Recognition & Readonly<{ cause: Cause }>;

  const claim = async (of: typeof identities | typeof emails, hash: string, userId: string, asked: Asked) => {
    const command = { type: 'Claim', key: `claim:${asked.key}:${userId}`, data: { userId, at: asked.at } } as const;
    const { state } = await of.handle(hash, command, asked.cause);
    if (state.owner === undefined) throw new Error('a claim was decided and has no owner');
    return state.owner;
  };

  const release = async (of: typeof identities | typeof emails, hash: string, userId: string, asked: Asked) => {
    const command = { type: 'Release', key: `release:${asked.key}:${userId}`, data: { userId, at: asked.at } } as const;
    await of.handle(hash, command, asked.cause);
  };

  const isRemoved = async (userId: string): Promise<boolean> => (await users.state(userId)).status === 'removed';

  /** Whom the verified address belongs to, which is `wanted` when it is free. */
  const ownerOfEmail = async (emailHash: string, wanted: string, asked: Asked): Promise<string> => {
    const owner = await claim(emails, emailHash, wanted, asked);
    if (owner === wanted || !(await isRemoved(owner))) return owner;
    if (asked.proof === 'token') throw gone();
    await release(emails, emailHash, owner, asked);
    return claim(emails, emailHash, wanted, asked);
  };

  /** The claim on the identity, which no removed user holds any more. */
  const identityOf = async (subjectHash: string, asked: Asked): Promise<ClaimState> => {
    const claimed = await identities.state(subjectHash);
    const { owner, released } = claimed;
    if (owner === undefined) {
      if (asked.proof === 'token' && released > 0) throw gone();
      return claimed;
    }
    if (!(await isRemoved(owner))) return claimed;
    if (asked.proof === 'token') throw gone();
    await release(identities, subjectHash, owner, asked);
    return identities.state(subjectHash);
  };

  /** The e-mail is claimed before the identity: a rival with the same address then finds the same user. */
  const ownerOf = async (subjectHash: string, emailHash: string | null, asked: Asked) => {
    const { owner, released } = await identityOf(subjectHash, asked);
    if (owner !== undefined) return { userId: owner, returned: released > 0 };
    const wanted = userIdFor(subjectHash, released);
    const found = emailHash === null ? wanted : await ownerOfEmail(emailHash, wanted, asked);
    return { userId: await claim(identities, subjectHash, found, asked), returned: released > 0 };
  };

  /** True when the user may call the address theirs; the one they had before becomes free. */
  const settleEmail = async (userId: string, user: User, emailHash: string | null, asked: Asked): Promise<boolean> => {
    const held = user.status === 'registered' ? user.profile.emailHash : null;
    if (emailHash === null) return held === null;
    if (emailHash === held) return true;
    if ((await ownerOfEmail(emailHash, userId, asked)) !== userId) return false;
    if (held !== null) await release(emails, held, userId, asked);
    return true;
  };

  const sealed = async (userId: string, value: string) => ({
    sealed: await vault.seal(userId, `${USER}-${userId}`, value),
    digest: await vault.digest(userId, value),
  });

  const welcome = async (
    userId: string,
    subjectHash: string,
    emailHash: string | null,
    asked: Asked,
  ): Promise<WelcomeUser> => {
    const { person, key, at } = asked;
    const user = await users.state(userId);
    if (user.status === 'removed') throw gone();
    const theirs = await settleEmail(userId, user, emailHash, asked);
    const address = theirs ? person.email : undefined;
    // Clients cannot do without an address, so a user without one is given their subject's name.
    const email = address ?? (user.status === 'none' ? `user-${person.subject}` : undefined);
    const hash = address === undefined ? null : emailHash;
    const data = {
      userId,
      identityHash: subjectHash,
      email: email === undefined ? undefined : { ...(await sealed(userId, email)), hash },
      name: person.name === undefined ? undefined : await sealed(userId, person.name),
      role: person.role,
      at,
    };
    return { type: 'WelcomeUser', key: `welcome:${key}`, data };
  };

  return async (recognition: Recognition, cause: Cause): Promise<Recognised> => {
    const asked = { ...recognition, cause };
    const { subject, email, emailVerified } = asked.person;
    const subjectHash = hashes.subject(subject);
    const emailHash = email !== undefined && emailVerified ? hashes.email(email) : null;
    const { userId, returned } = await ownerOf(subjectHash, emailHash, asked);
    const command = await welcome(userId, subjectHash, emailHash, asked);
    const { state } = await users.handle(userId, command, { ...cause, actor: { kind: 'user', id: userId } });
    if (state.status !== 'registered') throw gone();
    return { user: state, returned };
  };
};

/** Finds or makes the user of a person. */
export type Recogniser = ReturnType<typeof recogniser>;
