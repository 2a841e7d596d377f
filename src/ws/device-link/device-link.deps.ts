import type { Device } from '../../../commands/devices/devices.state.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Relay } from '../../kernel/relay.ts';
import type { SessionEnds } from '../session-watch.ts';
import type { Registered } from './connections.ts';
import type { DeviceNotes } from './events.ts';
import type { LinkTiming } from './timing.ts';

/** What the link needs of the rest of the application. */
export type DeviceLinkDeps = Readonly<{
  relay: Relay;
  sessionEnds: SessionEnds;
  /** What is on record of a device. */
  device: (deviceId: string) => Promise<Device>;
  notes: DeviceNotes & Readonly<{ presence: (connection: Registered, online: boolean) => void }>;
  hashAddress: (ip: string) => string;
  clock: Clock;
  logger: Logger;
  timing?: Partial<LinkTiming>;
}>;
