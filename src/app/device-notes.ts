import type { Heartbeats } from '../../commands/devices/device-presence.ts';
import type { DeviceRegistry } from '../../commands/devices/device-registry.ts';
import { isDomainError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Registered } from '../ws/device-link/connections.ts';
import type { DeviceLinkDeps } from '../ws/device-link/device-link.deps.ts';
import { heartbeatIn } from '../ws/device-link/heartbeat.ts';
import { newestPaced } from './newest-paced.ts';

type Deps = Readonly<{
  registry: Pick<DeviceRegistry, 'report' | 'changeVisibility' | 'changeDirectory'>;
  beats: Pick<Heartbeats, 'record'>;
  /** True for a device that is on record as this user's. */
  isOnRecord: (userId: string, deviceId: string) => Promise<boolean>;
  /** True while any instance holds a connection of the device. */
  isConnected: (userId: string, deviceId: string) => Promise<boolean>;
  /** Wakes the user's phones. Must not reject. */
  desktopOnline: (userId: string) => Promise<unknown>;
  /** Resolves after so many milliseconds, and keeps no process alive. */
  pause: (milliseconds: number) => Promise<void>;
  logger: Logger;
}>;

/** A device that is back within this time was never away, for all that is written down. */
const AWAY_AFTER_MS = 30_000;
/** A device may say something new with every message; no more of it than this is written down. */
const CHANGE_EVERY_MS = 5_000;
/** No file system has longer paths; a longer one is only handed on. */
const LONGEST_DIRECTORY = 4_096;

/** What devices say over the link, written down. */
export const deviceNotes = (deps: Deps): DeviceLinkDeps['notes'] => {
  const { registry, beats, pause, logger } = deps;
  const paced = newestPaced({ pause, everyMs: CHANGE_EVERY_MS });

  const whose = ({ caller, entry }: Registered) => ({
    userId: caller.userId,
    deviceId: entry.presence.deviceId,
  });
  const quietly = (what: string, work: Promise<unknown>): Promise<void> =>
    work.then(
      () => undefined,
      (error: unknown) => {
        // A device that was never registered over HTTP is no device on record.
        if (!isDomainError(error)) logger.warn({ err: error }, `what a device said was not written down: ${what}`);
      },
    );
  const change = (what: string, connection: Registered, work: () => Promise<unknown>): void => {
    const { userId, deviceId } = whose(connection);
    paced(`${what} ${userId} ${deviceId}`, () => quietly(what, work()));
  };

  const noteAway = async (connection: Registered): Promise<void> => {
    await pause(AWAY_AFTER_MS);
    const { userId, deviceId } = whose(connection);
    if (await deps.isConnected(userId, deviceId)) return;
    await registry.report({ userId, deviceId }, 'offline', connection.cause());
  };

  return {
    beat: (connection, payload) => {
      const beat = heartbeatIn(payload, connection.cause().at);
      const { userId, deviceId } = whose(connection);
      change('heartbeat', connection, async () => {
        // Anybody may link under an id that nobody has registered; whoever registers it later is to begin with nothing.
        if (await deps.isOnRecord(userId, deviceId)) await beats.record(deviceId, beat);
      });
    },
    visibility: (connection, visible) =>
      change('visibility', connection, () => registry.changeVisibility(whose(connection), visible, connection.cause())),
    directory: (connection, directory) => {
      if (directory.length > LONGEST_DIRECTORY) return;
      change('directory', connection, () => registry.changeDirectory(whose(connection), directory, connection.cause()));
    },
    presence: (connection, online) => {
      if (!online) return void quietly('presence', noteAway(connection));
      void quietly('presence', registry.report(whose(connection), 'online', connection.cause()));
      if (connection.entry.presence.role === 'desktop') void deps.desktopOnline(connection.caller.userId);
    },
  };
};
