import {
  NOTIFICATION,
  type FailureReason,
  type NotificationContent,
  type NotificationEvent,
} from '../../src/events/notification/notification.events.ts';
import { PUSH_TOKEN } from '../../src/events/push-token/push-token.events.ts';
import { streamOf } from '../../src/kernel/aggregate.ts';
import { isoAfter, isoOf, type Clock } from '../../src/kernel/clock.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { Push, PushEnvironment, PushGateway, PushOutcome } from '../../src/kernel/push.ts';
import type { Sealed, SubjectVault } from '../../src/kernel/vault.ts';
import type { PushTokenDesk } from '../push-tokens/push-token-desk.ts';
import { payloadOf } from './content.ts';
import type { NotificationCommand } from './notifications.commands.ts';
import { isSilent, USEFUL_FOR_MS, type Notification, type RequestedNotification } from './notifications.state.ts';
import type { Pace } from './pacing.ts';

/** A device that a push can reach, its token sealed under its user's key. */
export type Target = Readonly<{
  tokenHash: string;
  deviceId: string;
  platform: string;
  environment: PushEnvironment | null;
  bundleId: string | null;
  token: Sealed;
}>;

/** A notification under way. */
export type UnderWay = Readonly<{ notificationId: string; state: RequestedNotification }>;

export type NotificationHandler = CommandHandler<Notification, NotificationCommand, NotificationEvent>;

export type DeliveryDeps = Readonly<{
  gateway: PushGateway;
  handler: NotificationHandler;
  vault: Pick<SubjectVault, 'open'>;
  tokens: Pick<PushTokenDesk, 'gone' | 'learnt'>;
  pace: Pace;
  clock: Clock;
  logger: Logger;
}>;

type Failed = Readonly<{ reason: FailureReason; detail: string | null; attempts: number }>;

const APPLE = new Set(['ios', 'ipados', 'macos', 'tvos', 'watchos', 'visionos', 'apple', 'apns']);

/** Only Apple's tokens mean anything to Apple. */
export const isApple = ({ platform }: Pick<Target, 'platform'>): boolean => APPLE.has(platform);

const FAILED_AS = { gone: 'token_gone', refused: 'refused', unavailable: 'unavailable' } as const;

/** What is done in the name of sending, whoever asked for it. */
export const sendingCause = (name: string, at: string): Cause => {
  const id = uuidOf(`sending|${name}|${at}`);
  return { at, correlationId: id, causationId: id, actor: { kind: 'job', id: 'notifications' } };
};

/** Writes down what became of a notification on a device. Said twice it is said once. */
export const noteFailed = async (
  handler: NotificationHandler,
  { notificationId, state }: UnderWay,
  deviceId: string,
  failed: Failed,
  at: string,
): Promise<void> => {
  const key = `settle:${deviceId}:${state.requestedAt}`;
  const data = { notificationId, deviceId, at, outcome: 'failed', ...failed } as const;
  await handler.handle(notificationId, { type: 'SettleDevice', key, data }, sendingCause(notificationId, at));
};

/** Sends a notification to one device and writes down what became of it. */
export const delivery = (deps: DeliveryDeps) => {
  const { gateway, handler, vault, tokens, pace, clock, logger } = deps;

  const pushOf = (underWay: UnderWay, target: Target, token: string, content: NotificationContent): Push => {
    const { notificationId, state } = underWay;
    const { tokenHash: _, deviceId, environment, bundleId } = target;
    return {
      id: uuidOf(`push|${notificationId}|${deviceId}|${state.requestedAt}`),
      token,
      environment,
      bundleId,
      type: isSilent(state.kind) ? 'background' : 'alert',
      // Of one job and one kind of news: two jobs that are done are two notifications.
      collapseId: notificationId,
      expiresAt: isoAfter(state.requestedAt, USEFUL_FOR_MS[state.kind]),
      payload: payloadOf(state.kind, content),
    };
  };

  const opened = async ({ notificationId, state }: UnderWay, target: Target) => {
    const [content, token] = await Promise.all([
      vault.open(streamOf({ category: NOTIFICATION }, notificationId), state.content),
      vault.open(streamOf({ category: PUSH_TOKEN }, target.tokenHash), target.token),
    ]);
    if (content === null || typeof token !== 'string') return undefined;
    return { content: content as NotificationContent, token };
  };

  /** What sending has shown about the token itself. */
  const heed = async (target: Target, outcome: PushOutcome): Promise<void> => {
    const at = isoOf(clock());
    if (outcome.kind === 'gone') await tokens.gone(target, outcome.since, sendingCause(target.tokenHash, at));
    if (outcome.kind === 'delivered' && outcome.environment !== target.environment) {
      await tokens.learnt(target, outcome.environment, sendingCause(target.tokenHash, at));
    }
  };

  const failed = async (underWay: UnderWay, deviceId: string, why: Failed): Promise<false> => {
    const { kind } = underWay.state;
    logger.warn(
      { notificationId: underWay.notificationId, deviceId, kind, ...why },
      'a notification was not delivered',
    );
    await noteFailed(handler, underWay, deviceId, why, isoOf(clock()));
    return false;
  };

  const delivered = async ({ notificationId, state }: UnderWay, deviceId: string, attempts: number): Promise<true> => {
    const at = isoOf(clock());
    const key = `settle:${deviceId}:${state.requestedAt}`;
    const data = { notificationId, deviceId, at, attempts, outcome: 'delivered' } as const;
    await handler.handle(notificationId, { type: 'SettleDevice', key, data }, sendingCause(notificationId, at));
    return true;
  };

  /**
   * Resolves with whether the push service has taken it. Rejects, leaving the device waiting, when `signal` aborts or the
   * outcome cannot be written down: it is taken up again later.
   */
  return async (underWay: UnderWay, target: Target, signal: AbortSignal): Promise<boolean> => {
    const { notificationId, state } = underWay;
    const { deviceId, tokenHash } = target;
    const readable = await opened(underWay, target);
    if (readable === undefined) {
      return failed(underWay, deviceId, { reason: 'unreadable', detail: null, attempts: 0 });
    }
    const lane = isSilent(state.kind) ? 'silent' : 'alert';
    if ((await pace.admit(tokenHash, lane, notificationId, signal)) === 'superseded') {
      return failed(underWay, deviceId, { reason: 'superseded', detail: null, attempts: 0 });
    }
    const outcome = await gateway.send(pushOf(underWay, target, readable.token, readable.content), signal);
    await heed(target, outcome);
    const { kind, attempts } = outcome;
    if (kind === 'delivered') return delivered(underWay, deviceId, attempts);
    return failed(underWay, deviceId, { reason: FAILED_AS[kind], detail: outcome.reason, attempts });
  };
};
