import { setTimeout as delay } from 'node:timers/promises';
import { deviceRegistry } from '../../commands/devices/device-registry.ts';
import { heartbeats } from '../../commands/devices/device-presence.ts';
import type { Device } from '../../commands/devices/devices.state.ts';
import { DEVICE, type DeviceEvent } from '../events/device/device.events.ts';
import { deviceUpcasters } from '../events/device/device.upcasters.ts';
import type { Clock } from '../kernel/clock.ts';
import { followLive } from '../kernel/follow-live.ts';
import type { Logger } from '../kernel/logger.ts';
import { upcast } from '../kernel/upcasting.ts';
import type { DeviceLinkDeps } from '../ws/device-link/device-link.deps.ts';
import { deviceLink, type DeviceLink } from '../ws/device-link/device-link.ts';
import type { SessionEnds } from '../ws/session-watch.ts';
import { deviceNotes } from './device-notes.ts';
import type { Stores } from './stores.ts';
import type { WriteSide } from './write-side.ts';

type Deps = Readonly<{
  stores: Stores;
  write: WriteSide;
  sessionEnds: SessionEnds;
  hashAddress: (ip: string) => string;
  /** Tells a user's phones, silently, that there is a desktop to talk to. Never rejects. */
  desktopOnline: (userId: string) => Promise<unknown>;
  clock: Clock;
  logger: Logger;
}>;

/** Of several instances that hear of it, one tells the user's devices. */
const TOLD_SECONDS = 60;

/** What devices say over the link, written down. */
const notesOf = ({ stores, write, desktopOnline, logger }: Deps): DeviceLinkDeps['notes'] =>
  deviceNotes({
    registry: deviceRegistry({ handler: write.devices, vault: stores.vault }),
    beats: heartbeats({ ephemeral: stores.ephemeral, logger }),
    isOnRecord: async (userId, deviceId) => {
      const isTheirs = (device: Device): boolean => device.status === 'registered' && device.userId === userId;
      return (
        isTheirs(await write.devices.state(deviceId, { cached: true })) || isTheirs(await write.devices.state(deviceId))
      );
    },
    isConnected: async (userId, deviceId) =>
      (await stores.relay.present(userId)).some((other) => other.deviceId === deviceId),
    desktopOnline,
    pause: async (milliseconds) => {
      await delay(milliseconds, undefined, { ref: false });
    },
    logger,
  });

/** Ends the link of a device that is not the user's any more, on whichever instance it is. */
const followUnlinked = ({ stores, write, logger }: Deps, link: DeviceLink, signal: AbortSignal): Promise<void> =>
  followLive(
    { store: stores.eventStore, pause: write.pause, logger },
    {
      what: 'devices that were removed',
      streamPrefixes: [`${DEVICE}-`],
      heed: async (stored) => {
        const { type, data } = upcast(deviceUpcasters, stored) as DeviceEvent;
        if (type !== 'DeviceRemoved') return;
        const { userId, deviceId } = data;
        link.unlink(userId, deviceId);
        const isOurs = await stores.ephemeral.claim(`unlinked:${stored.id}`, 1, TOLD_SECONDS).catch(() => true);
        if (isOurs) await link.announce.unlinked(userId, deviceId);
      },
    },
    signal,
  );

/** The link between a user's devices. */
export const linking = (deps: Deps) => {
  const { stores, write, sessionEnds, hashAddress, clock, logger } = deps;
  const stopping = new AbortController();
  const link = deviceLink({
    ...{ relay: stores.relay, sessionEnds, hashAddress, clock, logger },
    device: (deviceId) => write.devices.state(deviceId),
    notes: notesOf(deps),
  });
  const following = followUnlinked(deps, link, stopping.signal);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await link.stop();
    await following;
  };
  return { socket: link.socket, stop };
};
