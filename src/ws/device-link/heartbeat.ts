import { z } from 'zod';
import type { Heartbeat } from '../../../commands/devices/device-presence.ts';
import type { IsoTime } from '../../kernel/message.ts';

const measure = z.number().min(0).max(1e9).nullable().catch(null);

/** The members of a heartbeat. What makes no sense counts as not said: a sign of life is one all the same. */
const payload = z.object({
  status: z.enum(['online', 'offline', 'away']).catch('online'),
  cpuUsage: measure,
  memoryUsage: measure,
  diskSpaceGb: measure,
  activeJobs: z.int().min(0).max(2_147_483_647).catch(0),
});

/** What a device says of its health. */
export const heartbeatIn = (said: Readonly<Record<string, unknown>>, at: IsoTime): Heartbeat => {
  const { status, ...measures } = payload.parse(said);
  return { presence: status, ...measures, at };
};
