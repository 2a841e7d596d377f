import type { IsoTime } from '../../src/kernel/message.ts';
import type { PushEnvironment } from '../../src/kernel/push.ts';

/** What stays true of a token whoever holds it. */
type Nature = Readonly<{ environment: PushEnvironment | null; bundleId: string | null }>;

export type PushToken = Nature &
  (
    | Readonly<{ status: 'free' }>
    | Readonly<{ status: 'held'; userId: string; deviceId: string; platform: string; claimedAt: IsoTime }>
  );
