import { upstreamGuard, type GuardLimits, type UpstreamGuard } from '../../infra/providers/shared/upstream-guard.ts';
import type { Config } from '../config.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';

type Deps = Readonly<{ config: Config; clock: Clock; logger: Logger }>;

const PATIENCE = { failuresToOpen: 5, openMs: 10_000, longestRestMs: 60_000 };
/** It fails only when a request asks for that. */
const WITH_THE_SANDBOX = { ...PATIENCE, failuresToOpen: Infinity, longestRestMs: 0 };

/** The guard of each provider: one, whatever kind of work it is called for. */
export const upstreamGuards = ({ config, clock, logger }: Deps): ((provider: string) => UpstreamGuard) => {
  const guards = new Map<string, UpstreamGuard>();
  const room = {
    maxConcurrent: config.UPSTREAM_MAX_CONCURRENT,
    maxQueued: config.UPSTREAM_MAX_QUEUED,
    queueWaitMs: config.UPSTREAM_QUEUE_WAIT_MS,
  };
  return (provider) => {
    const known = guards.get(provider);
    if (known !== undefined) return known;
    const limits: GuardLimits = { ...room, ...(provider === 'sandbox' ? WITH_THE_SANDBOX : PATIENCE) };
    const guard = upstreamGuard({ ...limits, provider, clock, logger });
    guards.set(provider, guard);
    return guard;
  };
};
