import type { Clock } from '../../kernel/clock.ts';
import { isoOf } from '../../kernel/clock.ts';
import type { Relay } from '../../kernel/relay.ts';
import type { Registered } from './connections.ts';
import { keepingOf } from './event-rules.ts';

type Deps = Readonly<{ relay: Pick<Relay, 'publish'>; clock: Clock }>;

/** Tells a user's devices of something. */
export type Announcer = Readonly<{
  /** Hands an event on, in the name of a device or, when that is null, of the server. `bytes` is about its size. */
  event: (
    userId: string,
    sourceDeviceId: string | null,
    said: Readonly<{ eventType: string; payload: unknown }>,
    bytes?: number,
  ) => Promise<void>;
  status: (connection: Registered, status: 'online' | 'disconnected') => Promise<void>;
  unlinked: (userId: string, deviceId: string) => Promise<void>;
}>;

export const announcer = ({ relay, clock }: Deps): Announcer => {
  const event: Announcer['event'] = async (userId, sourceDeviceId, said, bytes = 0) => {
    await relay.publish(userId, { ...said, sourceDeviceId, at: isoOf(clock()) }, keepingOf(said, bytes));
  };
  return {
    event,
    status: ({ caller, presence: { deviceId } }, status) => {
      const reason = status === 'disconnected' ? { reason: 'ws_closed' } : {};
      // In the device's own name: it is the one that need not be told.
      return event(caller.userId, deviceId, { eventType: 'device-status', payload: { deviceId, status, ...reason } });
    },
    unlinked: (userId, deviceId) => event(userId, null, { eventType: 'device-unlinked', payload: { deviceId } }),
  };
};
