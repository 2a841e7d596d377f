import { randomUUID } from 'node:crypto';
import { isoAfter } from '../../../kernel/clock.ts';
import type { CommandHandler } from '../../../kernel/command-handler.ts';
import { DomainError } from '../../../kernel/errors.ts';
import type { AppTokens } from '../../../kernel/tokens.ts';
import type { SessionEvent } from '../../../events/session/session.events.ts';
import type { UserEvent } from '../../../events/user/user.events.ts';
import type { SessionCommand } from '../../../../commands/sessions/sessions.commands.ts';
import type { Session } from '../../../../commands/sessions/sessions.state.ts';
import type { UserCommand } from '../../../../commands/users/users.commands.ts';
import type { User } from '../../../../commands/users/users.state.ts';
import { bearerOf } from '../../auth/checks.ts';
import type { signedInReply } from '../../auth/signed-in.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

export type RefreshDeps = Readonly<{
  tokens: Pick<AppTokens, 'verify'>;
  sessions: Pick<CommandHandler<Session, SessionCommand, SessionEvent>, 'handle'>;
  users: Pick<CommandHandler<User, UserCommand, UserEvent>, 'state'>;
  reply: ReturnType<typeof signedInReply>;
  maxSessionSeconds: number;
}>;

/** A new token for the same session, for as long as the session may live; 401 only when it is really dead. */
export const refreshAppToken = ({ tokens, sessions, users, reply, maxSessionSeconds }: RefreshDeps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/auth0/refresh-app-token',
    limit: 'write',
    handle: async ({ cause, header }, { userId, sessionId, deviceId }) => {
      const { at } = cause;
      const offered = { authorization: header('authorization'), apiKey: undefined };
      const { subject } = await tokens.verify(bearerOf(offered), new Date(at));
      const jti = randomUUID();
      const expiresAt = isoAfter(at, maxSessionSeconds * 1000);
      const data = { sessionId, userId, deviceId: deviceId ?? null, expiresAt, at };
      const key = `refresh:${jti}`;
      const { state: session } = await sessions.handle(sessionId, { type: 'RefreshSession', key, data }, cause);
      const user = await users.state(userId);
      if (session.status !== 'open' || user.status !== 'registered') {
        throw new DomainError('authentication_error', 'the session has ended; sign in again');
      }
      return json(200, await reply({ user, sessionId, jti, deviceId, subject, at, sessionEndsAt: session.expiresAt }));
    },
  });
