import type { Event, IsoTime } from '../../kernel/message.ts';

/** `expiresAt` is the end of the session's longest possible life: no token of it outlives that. */
type Said = Readonly<{ sessionId: string; userId: string; expiresAt: IsoTime; at: IsoTime }>;

type SignedIn = Event<
  'SignedIn',
  Said &
    Readonly<{
      /** The device that the tokens are bound to; null: to none. */
      deviceId: string | null;
      /** `adopted`: begun at another server with the same secret, first met here by its token. */
      origin: 'login' | 'adopted';
    }>
>;

type SessionRefreshed = Event<'SessionRefreshed', Said & Readonly<{ deviceId: string | null }>>;

/** The user has ended the session. */
type SignedOut = Event<'SignedOut', Said>;

export type RevocationReason = 'user_removed' | 'device_removed' | 'administrator';

/** Somebody else than the user's own client has ended the session. */
type SessionRevoked = Event<'SessionRevoked', Said & Readonly<{ reason: RevocationReason }>>;

export type SessionEvent = SignedIn | SessionRefreshed | SignedOut | SessionRevoked;

/** Streams are `session-<sessionId>`. */
export const SESSION = 'session';
