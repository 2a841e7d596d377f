import type { Cause } from '../../../kernel/message.ts';
import { isoAfter } from '../../../kernel/clock.ts';
import type { CommandHandler } from '../../../kernel/command-handler.ts';
import type { SessionEvent } from '../../../events/session/session.events.ts';
import type { SessionCommand } from '../../../../commands/sessions/sessions.commands.ts';
import type { Session } from '../../../../commands/sessions/sessions.state.ts';
import type { Revocations } from '../../auth/revocations.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

export type LogoutDeps = Readonly<{
  sessions: Pick<CommandHandler<Session, SessionCommand, SessionEvent>, 'handle'>;
  revocations: Pick<Revocations, 'add'>;
  maxSessionSeconds: number;
  /** Told when a device is its user's no longer: nothing is to be sent to it. Must not reject. */
  signedOut: (whose: Readonly<{ userId: string; deviceId: string }>, cause: Cause) => Promise<void>;
}>;

/** Ends the session: its tokens are dead here at once, on other instances as soon as the news come. */
export const logout = ({ sessions, revocations, maxSessionSeconds, signedOut }: LogoutDeps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/auth/logout',
    limit: 'write',
    handle: async ({ cause }, { userId, sessionId, deviceId }) => {
      // First: should the process die in between, the app can sign out again, which without a session it could not.
      if (deviceId !== undefined) await signedOut({ userId, deviceId }, cause);
      // Of a session that another server began we only know that its tokens cannot outlive one as long as ours.
      const until = isoAfter(cause.at, maxSessionSeconds * 1000);
      const data = { sessionId, userId, expiresAt: until, at: cause.at };
      await sessions.handle(sessionId, { type: 'SignOut', key: `sign-out:${sessionId}`, data }, cause);
      revocations.add({ sessionId, until });
      return json(200, { message: 'You are signed out' });
    },
  });
