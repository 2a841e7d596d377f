import type { ReleaseReason } from '../../src/events/push-token/push-token.events.ts';
import type { Command, IsoTime } from '../../src/kernel/message.ts';
import type { PushEnvironment } from '../../src/kernel/push.ts';
import type { Sealed } from '../../src/kernel/vault.ts';

type OfToken<D> = D & Readonly<{ tokenHash: string; deviceId: string; at: IsoTime }>;

/** The token reaches this device from now on; whoever had it before loses it. */
export type ClaimPushToken = Command<
  'ClaimPushToken',
  OfToken<
    Readonly<{
      userId: string;
      platform: string;
      environment: PushEnvironment | null;
      bundleId: string | null;
      token: Sealed;
      /** The device has only now been given it: to be said even when it is its holder's already. */
      afresh: boolean;
    }>
  >
>;

/** The device is not reached by it any more. */
export type ReleasePushToken = Command<
  'ReleasePushToken',
  OfToken<
    Readonly<{
      reason: ReleaseReason;
      /** Since when it is known to be of no use there, by the push service or from the device; a later claim outweighs that. */
      goneSince: IsoTime | null;
    }>
  >
>;

/** It was found to belong to this environment. */
export type LearnEnvironment = Command<'LearnEnvironment', OfToken<Readonly<{ environment: PushEnvironment }>>>;

export type PushTokenCommand = ClaimPushToken | ReleasePushToken | LearnEnvironment;
