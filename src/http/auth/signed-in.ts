import { randomUUID } from 'node:crypto';
import type { IsoTime } from '../../kernel/message.ts';
import type { AppTokens } from '../../kernel/tokens.ts';
import type { SubjectVault } from '../../kernel/vault.ts';
import { USER } from '../../events/user/user.events.ts';
import type { RegisteredUser } from '../../../commands/users/users.state.ts';

/** A user as clients see one. */
export type UserView = Readonly<{ id: string; email: string; name: string | null; role: 'user' | 'admin' }>;

/** Shows users; their address and name are opened with their key. */
export const userViews =
  (vault: Pick<SubjectVault, 'open'>) =>
  async ({ userId, role, profile }: RegisteredUser): Promise<UserView> => {
    const stream = `${USER}-${userId}`;
    const [email, name] = await Promise.all([
      vault.open(stream, profile.email),
      profile.name === null ? null : vault.open(stream, profile.name),
    ]);
    return {
      id: userId,
      email: typeof email === 'string' ? email : '',
      name: typeof name === 'string' ? name : null,
      role,
    };
  };

/** What the token is for. */
export type Granted = Readonly<{
  user: RegisteredUser;
  sessionId: string;
  jti?: string;
  deviceId: string | undefined;
  subject: string | undefined;
  at: IsoTime;
  /** The end of the session, which no token outlives. */
  sessionEndsAt: IsoTime;
}>;

const secondsOf = (at: IsoTime): number => Math.floor(Date.parse(at) / 1000);

/** The body that answers a sign-in and a refresh: the user and a new token. */
export const signedInReply = (
  deps: Readonly<{ tokens: Pick<AppTokens, 'issue'>; vault: Pick<SubjectVault, 'open'>; tokenSeconds: number }>,
) => {
  const view = userViews(deps.vault);
  return async ({ user, sessionId, jti, deviceId, subject, at, sessionEndsAt }: Granted) => {
    const issuedAt = secondsOf(at);
    const expiresAt = Math.min(issuedAt + deps.tokenSeconds, secondsOf(sessionEndsAt));
    const shown = await view(user);
    const token = await deps.tokens.issue({
      userId: user.userId,
      email: shown.email,
      role: user.role,
      subject,
      jti: jti ?? randomUUID(),
      deviceId,
      sessionId,
      issuedAt,
      expiresAt,
    });
    return { user: shown, token, tokenType: 'Bearer', expiresIn: expiresAt - issuedAt };
  };
};
