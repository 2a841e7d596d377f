import { randomUUID } from 'node:crypto';
import { completions } from '../../commands/completions/completions.ts';
import { policyWithLease } from '../../commands/completions/policy.ts';
import type { MediaDeps } from '../../commands/media/media-order.ts';
import { guardedTranscription, guardedVideo } from '../../infra/providers/shared/guarded-media.ts';
import { guarded } from '../../infra/providers/shared/upstream-guard.ts';
import { tokenCounter } from '../../infra/tokenizer/token-counter.ts';
import type { Config } from '../config.ts';
import type { Catalogue } from '../kernel/catalogue.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Parts } from './parts.ts';
import { upstreamGuards } from './upstream-guards.ts';
import { mediaUpstreamsOf, upstreamsOf } from './upstreams.ts';
import type { WriteSide } from './write-side.ts';

type Deps = Readonly<{
  config: Config;
  parts: Parts;
  write: WriteSide;
  /** What is offered now. */
  catalogue: () => Catalogue;
  clock: Clock;
  logger: Logger;
}>;

/** The streaming command with its catalogue and providers. */
export const completing = (deps: Deps) => {
  const { config, parts, write, catalogue, clock, logger } = deps;
  const guards = upstreamGuards({ config, clock, logger });
  const bare = upstreamsOf({ config, sandboxUrl: parts.sandboxUrl, clock });
  const upstreams = new Map([...bare].map(([code, upstream]) => [code, guarded(upstream, guards(code))]));
  const counter = tokenCounter();
  const policy = {
    ...policyWithLease(config.HOLD_LEASE_SECONDS),
    maxConcurrentPerUser: config.MAX_CONCURRENT_STREAMS_PER_USER,
  };
  const command = completions({
    catalogue,
    upstreams: (provider) => upstreams.get(provider),
    counter,
    policy,
    credits: write.credits,
    clock,
    logger,
    pause: write.pause,
    newId: randomUUID,
  });
  const bareMedia = mediaUpstreamsOf({ config, sandboxUrl: parts.sandboxUrl, clock });
  const transcriptions = bareMedia.transcriptions.map((one) => guardedTranscription(one, guards(one.provider)));
  const videos = bareMedia.videos.map((one) => guardedVideo(one, guards(one.provider)));
  const media: MediaDeps = {
    catalogue,
    transcriptions: (provider) => transcriptions.find((one) => one.provider === provider),
    videos: (provider) => videos.find((one) => one.provider === provider),
    credits: write.credits,
    policy,
    clock,
  };
  const close = async (): Promise<void> => {
    await counter.close();
    await Promise.all([...upstreams.values(), ...transcriptions, ...videos].map((upstream) => upstream.close()));
  };
  const reaches = (provider: string): boolean => upstreams.has(provider);
  return { command, media, catalogue, counter, policy, reaches, close };
};

export type Completing = ReturnType<typeof completing>;
