import type { Command, IsoTime } from '../../src/kernel/message.ts';
import type { RevocationReason } from '../../src/events/session/session.events.ts';

/** Which session, and the latest end of its life should this be the first that is heard of it. */
type About = Readonly<{ sessionId: string; userId: string; expiresAt: IsoTime; at: IsoTime }>;

/** Starts a session after a login. Key `start:<sessionId>`. */
export type StartSession = Command<'StartSession', About & Readonly<{ deviceId: string | null }>>;

/**
 * Notes that the session goes on with a new token; refused when it has ended or is too old. A session that is not known
 * was begun at another server: its token was good, so it is adopted. Key `refresh:<jti of the new token>`.
 */
export type RefreshSession = Command<'RefreshSession', About & Readonly<{ deviceId: string | null }>>;

/** The user ends the session. Key `sign-out:<sessionId>`. */
export type SignOut = Command<'SignOut', About>;

/** Ends the session from elsewhere. Key `revoke:<sessionId>`. */
export type RevokeSession = Command<'RevokeSession', About & Readonly<{ reason: RevocationReason }>>;

export type SessionCommand = StartSession | RefreshSession | SignOut | RevokeSession;
