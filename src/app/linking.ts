import { deviceRegistry } from '../../commands/devices/device-registry.ts';
import { heartbeats } from '../../commands/devices/device-presence.ts';
import { DEVICE, type DeviceEvent } from '../events/device/device.events.ts';
import { deviceUpcasters } from '../events/device/device.upcasters.ts';
import type { Clock } from '../kernel/clock.ts';
import { isDomainError } from '../kernel/errors.ts';
import { followLive } from '../kernel/follow-live.ts';
import type { Logger } from '../kernel/logger.ts';
import { upcast } from '../kernel/upcasting.ts';
import type { Registered } from '../ws/device-link/connections.ts';
import type { DeviceLinkDeps } from '../ws/device-link/device-link.deps.ts';
import { deviceLink, type DeviceLink } from '../ws/device-link/device-link.ts';
import { heartbeatIn } from '../ws/device-link/heartbeat.ts';
import type { SessionWatch } from '../ws/session-watch.ts';
import type { Stores } from './stores.ts';
import type { WriteSide } from './write-side.ts';

type Deps = Readonly<{
  stores: Stores;
  write: WriteSide;
  watch: SessionWatch;
  hashAddress: (ip: string) => string;
  /** Tells a user's phones, silently, that there is a desktop to talk to. Never rejects. */
  desktopOnline: (userId: string) => Promise<unknown>;
  clock: Clock;
  logger: Logger;
}>;

/** A device that is back within this time was never away, for all that is written down. */
const AWAY_AFTER_MS = 30_000;
/** Of several instances that hear of it, one tells the user's devices. */
const TOLD_SECONDS = 60;

/** What devices say over the link, written down. */
const notesOf = ({ stores, write, desktopOnline, logger }: Deps): DeviceLinkDeps['notes'] => {
  const registry = deviceRegistry({ handler: write.devices, vault: stores.vault });
  const beats = heartbeats({ ephemeral: stores.ephemeral, logger });

  const whose = ({ caller, entry }: Registered) => ({
    userId: caller.userId,
    deviceId: entry.presence.deviceId,
  });
  const quietly = (what: string, work: Promise<unknown>): void => {
    work.catch((error: unknown) => {
      // A device that was never registered over HTTP is no device on record.
      if (!isDomainError(error)) logger.warn({ err: error }, `what a device said was not written down: ${what}`);
    });
  };

  const isAway = async ({ caller, entry }: Registered): Promise<boolean> =>
    !(await stores.relay.present(caller.userId)).some(({ deviceId }) => deviceId === entry.presence.deviceId);

  const noteAway = async (connection: Registered): Promise<void> => {
    if (await isAway(connection)) await registry.report(whose(connection), 'offline', connection.cause());
  };

  return {
    beat: (connection, payload) => {
      const cause = connection.cause();
      quietly('heartbeat', beats.record(connection.entry.presence.deviceId, heartbeatIn(payload, cause.at)));
    },
    visibility: (connection, visible) =>
      quietly('visibility', registry.changeVisibility(whose(connection), visible, connection.cause())),
    directory: (connection, directory) =>
      quietly('directory', registry.changeDirectory(whose(connection), directory, connection.cause())),
    presence: (connection, online) => {
      const { userId } = connection.caller;
      if (online && connection.entry.presence.role === 'desktop') void desktopOnline(userId);
      if (online) quietly('presence', registry.report(whose(connection), 'online', connection.cause()));
      else setTimeout(() => quietly('presence', noteAway(connection)), AWAY_AFTER_MS).unref();
    },
  };
};

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
  const { stores, write, watch, hashAddress, clock, logger } = deps;
  const stopping = new AbortController();
  const link = deviceLink({
    ...{ relay: stores.relay, watch, hashAddress, clock, logger },
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
