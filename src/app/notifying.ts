import { createPrivateKey } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { notifier, type Notifier } from '../../commands/notifications/notifier.ts';
import { sendingCause } from '../../commands/notifications/delivery.ts';
import { pushPace } from '../../commands/notifications/pacing.ts';
import { resumeNotifications } from '../../commands/notifications/unfinished.ts';
import { apnsGateway, APNS_HOSTS } from '../../infra/apns/apns-gateway.ts';
import { pushTargets } from '../../queries/notifications/push-targets.query.ts';
import { stalePushTokens } from '../../queries/notifications/stale-push-tokens.query.ts';
import { unfinishedNotifications } from '../../queries/notifications/unfinished-notifications.query.ts';
import { ConfigError, type Config } from '../config.ts';
import { isoAfter, isoOf, type Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { PushGateway } from '../kernel/push.ts';
import type { QueryRunner } from '../kernel/query.ts';
import type { Job } from './jobs.ts';
import type { Stores } from './stores.ts';
import type { WriteSide } from './write-side.ts';

type Deps = Readonly<{
  config: Config;
  stores: Pick<Stores, 'vault' | 'pacer'>;
  write: WriteSide;
  /** Shows a user what they have just written. */
  queries: QueryRunner;
  /** False while there are no read models to ask. */
  mayRun: () => boolean;
  clock: Clock;
  logger: Logger;
}>;

/** How long an answer waits for devices. */
const ANSWER_WITHIN_MS = 5000;
const TAKE_UP_EVERY_MS = 60_000;
/** Longer than any attempt goes on, pauses and pacing included: what is older has nobody who sends it. */
const GRACE_MS = 5 * 60_000;
const AT_ONCE = 200;
/** Whoever hands a token in writes it down twice, one after the other. */
const STALE_AFTER_MS = 60_000;

const checkedKey = (privateKey: string): string => {
  try {
    createPrivateKey(privateKey.replaceAll('\\n', '\n').trim());
    return privateKey;
  } catch {
    throw new ConfigError(['APNS_PRIVATE_KEY: is not a private key in PEM (PKCS #8)']);
  }
};

/** Apple, when it is configured. */
const gatewayOf = ({ config, clock, logger }: Deps): PushGateway | undefined => {
  const { APNS_TEAM_ID: teamId, APNS_KEY_ID: keyId, APNS_PRIVATE_KEY: privateKey, APNS_BUNDLE_ID: bundleId } = config;
  if (teamId === undefined || keyId === undefined || privateKey === undefined || bundleId === undefined) {
    return undefined;
  }
  const { APNS_BASE_URL: base } = config;
  return apnsGateway({
    key: { teamId, keyId, privateKey: checkedKey(privateKey) },
    bundleId,
    environment: config.APNS_PRODUCTION ? 'production' : 'sandbox',
    hosts: base === undefined ? APNS_HOSTS : { production: base, sandbox: base },
    clock,
    pause: async (milliseconds, signal) => {
      await delay(milliseconds, undefined, { signal, ref: false });
    },
    logger,
  });
};

/** The notifier of this process, and the jobs that take up what another one has left. Throws ConfigError. */
export const notifying = (
  deps: Deps,
): Readonly<{ notifier: Notifier; jobs: readonly Job[]; stop: () => Promise<void> }> => {
  const { stores, write, queries, mayRun, clock, logger } = deps;
  const gateway = gatewayOf(deps);
  const stopping = new AbortController();
  const wait = async (milliseconds: number): Promise<void> => {
    await delay(milliseconds, undefined, { signal: stopping.signal, ref: false });
  };
  const telling = notifier({
    gateway,
    handler: write.notifications,
    vault: stores.vault,
    tokens: write.pushTokens,
    targets: (userId) => queries.asUser(userId, pushTargets(userId)),
    pace: pushPace({ pacer: stores.pacer, wait }),
    clock,
    logger,
    wait,
    answerWithinMs: ANSWER_WITHIN_MS,
  });
  const resuming: Job = {
    name: 'resume-notifications',
    everyMs: TAKE_UP_EVERY_MS,
    mayRun,
    run: resumeNotifications({
      handler: write.notifications,
      notifier: telling,
      unfinished: (before) => queries.asSystem(unfinishedNotifications(isoOf(before), AT_ONCE)),
      targets: (userId) => queries.asSystem(pushTargets(userId)),
      clock,
      logger,
      graceMs: GRACE_MS,
    }),
  };
  const releasing: Job = {
    name: 'release-push-tokens',
    everyMs: TAKE_UP_EVERY_MS,
    mayRun,
    run: async () => {
      const at = isoOf(clock());
      const stale = await queries.asSystem(stalePushTokens(isoAfter(at, -STALE_AFTER_MS), AT_ONCE));
      for (const held of stale) await write.pushTokens.releaseStale(held, sendingCause(held.tokenHash, at));
    },
  };
  const stop = async (): Promise<void> => {
    stopping.abort();
    await telling.stop();
    await gateway?.close();
  };
  return { notifier: telling, jobs: [resuming, releasing], stop };
};
