import type { Clock } from '../../kernel/clock.ts';
import { isoOf } from '../../kernel/clock.ts';
import type { Relay, RelayEvent } from '../../kernel/relay.ts';
import { keepingOf } from './event-rules.ts';

type Deps = Readonly<{ relay: Pick<Relay, 'publish' | 'present'>; clock: Clock }>;

/** Tells a user's devices of something. All reject when the relay does not answer. */
export type Announcer = Readonly<{
  /** Hands an event on, in the name of a device or, when that is null, of the server. `bytes` is about its size. */
  event: (
    userId: string,
    sourceDeviceId: string | null,
    said: Readonly<{ eventType: string; payload: unknown }>,
    bytes?: number,
  ) => Promise<void>;
  online: (userId: string, deviceId: string) => Promise<void>;
  /** Says that a device has gone, unless it is back: the last word is always what is so. */
  gone: (userId: string, deviceId: string) => Promise<void>;
  unlinked: (userId: string, deviceId: string) => Promise<void>;
}>;

type Status = 'online' | 'disconnected';

/** What `device-status` says. */
export type StatusChange = Readonly<{ deviceId: string; status: Status }>;

/** What an event says of a device's status; undefined when it is about something else. Only the server says such. */
export const statusIn = ({ eventType, payload }: RelayEvent): StatusChange | undefined =>
  eventType === 'device-status' ? (payload as StatusChange) : undefined;

/** The device that an event says is not the user's any more; undefined when it is about something else. */
export const unlinkedIn = ({ eventType, payload }: RelayEvent): string | undefined =>
  eventType === 'device-unlinked' ? (payload as Readonly<{ deviceId: string }>).deviceId : undefined;

/** A device that comes and goes while we say so is somebody else's to tell of. */
const MOST_WORDS = 5;

export const announcer = ({ relay, clock }: Deps): Announcer => {
  const event: Announcer['event'] = async (userId, sourceDeviceId, said, bytes = 0) => {
    await relay.publish(userId, { ...said, sourceDeviceId, at: isoOf(clock()) }, keepingOf(said, bytes));
  };

  const status = (userId: string, deviceId: string, is: Status): Promise<void> => {
    const reason = is === 'disconnected' ? { reason: 'ws_closed' } : {};
    // In the device's own name: it is the one that need not be told.
    return event(userId, deviceId, { eventType: 'device-status', payload: { deviceId, status: is, ...reason } });
  };

  const statusOf = async (userId: string, deviceId: string): Promise<Status> =>
    (await relay.present(userId)).some((other) => other.deviceId === deviceId) ? 'online' : 'disconnected';

  return {
    event,
    online: (userId, deviceId) => status(userId, deviceId, 'online'),
    gone: async (userId, deviceId) => {
      // It may come back on another instance before this is out, and say so before us: so look again afterwards.
      let said: Status = 'online';
      for (let words = 0; words < MOST_WORDS; words += 1) {
        const is = await statusOf(userId, deviceId);
        if (is === said) return;
        await status(userId, deviceId, is);
        said = is;
      }
    },
    unlinked: (userId, deviceId) => event(userId, null, { eventType: 'device-unlinked', payload: { deviceId } }),
  };
};
