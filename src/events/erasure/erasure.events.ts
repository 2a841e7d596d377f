import type { Event, IsoTime } from '../../kernel/message.ts';

type Of<D> = D & Readonly<{ userId: string; at: IsoTime }>;

/** The user wants to be forgotten. */
export type ErasureRequested = Event<'ErasureRequested', Of<Readonly<{ by: 'user' }>>>;

/** Not now, and why; the account stays as it was. The user may ask again. */
export type ErasureBlocked = Event<'ErasureBlocked', Of<Readonly<{ why: string }>>>;

/** The credit account is closed and the user is removed: no token and no API key is good for anything any more. */
export type AccessEnded = Event<'AccessEnded', Of<unknown>>;

/** Every session and API key was revoked, and with them every connection that was still open. */
export type ConnectionsEnded = Event<'ConnectionsEnded', Of<Readonly<{ sessions: number; apiKeys: number }>>>;

/** Devices with their push tokens, and recorded answers, are gone. */
export type BelongingsRemoved = Event<'BelongingsRemoved', Of<Readonly<{ devices: number; answers: number }>>>;

/** The key of everything sealed of this user is destroyed. */
export type SubjectKeyDestroyed = Event<
  'SubjectKeyDestroyed',
  Of<
    Readonly<{
      keyId: string;
      /** An event with a sealed member that could be read until then, and was tried after it; null when there is none. */
      proof: Readonly<{ eventId: string; readable: false }> | null;
    }>
  >
>;

/** These tables were looked at after that, and hold nothing of the user that can be read. */
export type ReadModelsPurged = Event<'ReadModelsPurged', Of<Readonly<{ tables: readonly string[] }>>>;

/** The payment provider has deleted its customer, and it is unlinked here. */
export type CustomerForgotten = Event<'CustomerForgotten', Of<Readonly<{ hadCustomer: boolean }>>>;

/** All is done. The id of this event is the certificate. */
export type ErasureCompleted = Event<'ErasureCompleted', Of<Readonly<{ requestedAt: IsoTime }>>>;

/** The steps in their order. */
export type ErasureStep =
  | AccessEnded
  | ConnectionsEnded
  | BelongingsRemoved
  | SubjectKeyDestroyed
  | ReadModelsPurged
  | CustomerForgotten
  | ErasureCompleted;

export type ErasureEvent = ErasureRequested | ErasureBlocked | ErasureStep;

/** Streams are `erasure-<userId>`. */
export const ERASURE = 'erasure';
