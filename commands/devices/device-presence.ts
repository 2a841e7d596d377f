import { z } from 'zod';
import type { EphemeralStore } from '../../src/kernel/ephemeral.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import type { Relay } from '../../src/kernel/relay.ts';

const heartbeat = z.object({
  presence: z.enum(['online', 'offline', 'away']),
  cpuUsage: z.number().nullable(),
  memoryUsage: z.number().nullable(),
  diskSpaceGb: z.number().nullable(),
  activeJobs: z.number(),
  at: z.string(),
});

/** What a device said of its health last; percentages for CPU and memory, `at` as an ISO instant. */
export type Heartbeat = Readonly<z.infer<typeof heartbeat>>;

/** Which devices hold a device-link socket right now, on any instance. */
export type DeviceLinks = Readonly<{
  isConnected: (userId: string, deviceId: string) => Promise<boolean>;
  /** All of a user's, by one question. */
  connected: (userId: string) => Promise<ReadonlySet<string>>;
}>;

/** The last heartbeats, for a while. Losing them loses nothing but freshness, so no failure gets out. */
export type Heartbeats = Readonly<{
  record: (deviceId: string, beat: Heartbeat) => Promise<void>;
  of: (deviceId: string) => Promise<Heartbeat | undefined>;
}>;

/** Apps send one every 30 seconds: three may go missing. */
const HEARTBEAT_SECONDS = 120;

type Deps = Readonly<{ ephemeral: Pick<EphemeralStore, 'put' | 'get'>; logger: Logger }>;

const beatKey = (deviceId: string): string => `presence:beat:${deviceId}`;

const quietly = async <T>(logger: Logger, task: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await task();
  } catch (error) {
    logger.warn({ err: error }, 'presence is not known: the shared store did not answer');
    return undefined;
  }
};

/** Heartbeats in the shared ephemeral store, under `presence:beat:` keys. */
export const heartbeats = ({ ephemeral, logger }: Deps): Heartbeats => ({
  record: async (deviceId, beat) => {
    await quietly(logger, () => ephemeral.put(beatKey(deviceId), beat, HEARTBEAT_SECONDS));
  },
  of: async (deviceId) => {
    const value = await quietly(logger, () => ephemeral.get(beatKey(deviceId)));
    return heartbeat.safeParse(value).data;
  },
});

/** Connected is what the relay knows a living connection of. */
export const deviceLinks = ({
  relay,
  logger,
}: Readonly<{ relay: Pick<Relay, 'present'>; logger: Logger }>): DeviceLinks => {
  const connected = async (userId: string): Promise<ReadonlySet<string>> => {
    const present = await quietly(logger, () => relay.present(userId));
    return new Set(present?.map(({ deviceId }) => deviceId));
  };
  return { connected, isConnected: async (userId, deviceId) => (await connected(userId)).has(deviceId) };
};
