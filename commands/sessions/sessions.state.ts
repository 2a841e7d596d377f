import type { IsoTime } from '../../src/kernel/message.ts';

export type OpenSession = Readonly<{
  status: 'open';
  userId: string;
  deviceId: string | null;
  expiresAt: IsoTime;
  /** When it was last heard of: at its start or its last recorded refresh. */
  seenAt: IsoTime;
}>;

export type Session =
  Readonly<{ status: 'none' }> | OpenSession | Readonly<{ status: 'ended'; userId: string; expiresAt: IsoTime }>;

/** Refreshes within this time of the last recorded one are the same refresh: fifty parallel ones are one event. */
export const ONE_REFRESH_MS = 60_000;
