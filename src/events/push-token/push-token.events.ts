import type { Event, IsoTime } from '../../kernel/message.ts';
import type { PushEnvironment } from '../../kernel/push.ts';
import type { Sealed } from '../../kernel/vault.ts';

/** Why a token is nobody's any more. `gone`: the push service says that it reaches nothing. */
export type ReleaseReason = 'replaced' | 'device_removed' | 'signed_out' | 'gone';

type OfHolder<D> = D &
  Readonly<{
    /** Keyed hash of the token; the stream's name ends in it. */
    tokenHash: string;
    userId: string;
    deviceId: string;
    at: IsoTime;
  }>;

/** The token reaches this device of this user from now on, and no other. */
type PushTokenClaimed = Event<
  'PushTokenClaimed',
  OfHolder<
    Readonly<{
      /** As the app names it, in lowercase. */
      platform: string;
      /** Null: the app did not say. */
      environment: PushEnvironment | null;
      /** The app's own id, null when it did not say. */
      bundleId: string | null;
      /** The token under its holder's key. */
      token: Sealed;
    }>
  >
>;

/** Sending has shown which of Apple's environments the token belongs to. */
type PushTokenEnvironmentLearned = Event<
  'PushTokenEnvironmentLearned',
  OfHolder<Readonly<{ environment: PushEnvironment }>>
>;

/** Nothing is sent to it any more. */
type PushTokenReleased = Event<'PushTokenReleased', OfHolder<Readonly<{ reason: ReleaseReason }>>>;

export type PushTokenEvent = PushTokenClaimed | PushTokenEnvironmentLearned | PushTokenReleased;

/** Streams are `pushToken-<keyed hash of the token>`: a token reaches one device at a time. */
export const PUSH_TOKEN = 'pushToken';
