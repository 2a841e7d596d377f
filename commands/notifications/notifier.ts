import { NOTIFICATION, type NotificationKind } from '../../src/events/notification/notification.events.ts';
import { streamOf } from '../../src/kernel/aggregate.ts';
import { isoOf } from '../../src/kernel/clock.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { SubjectVault } from '../../src/kernel/vault.ts';
import { fitted, type Told } from './content.ts';
import { delivery, isApple, sendingCause, type DeliveryDeps, type Target, type UnderWay } from './delivery.ts';
import { newestLater } from './newest-later.ts';
import { isSilent, ONE_WITHIN_MS, type RequestedNotification } from './notifications.state.ts';

/** What is to be told to whom. */
export type Order = Readonly<{ userId: string; kind: NotificationKind; jobId: string | null; told: Told }>;

/** How many devices have been reached by the time of the answer. `waiting`: those that are still being tried. */
export type Reached = Readonly<{ configured: boolean; sent: number; failed: number; waiting: number }>;

/** Tells users' devices what has happened. */
export type Notifier = Readonly<{
  /**
   * Writes the notification down, sends it, and resolves when every device has it or after a few seconds. The same told
   * twice within a while is one. Nobody to tell, or no push service, is no error.
   */
  notify: (order: Order, cause: Cause) => Promise<Reached>;
  /** Wakes the user's phones because a desktop has come online. Never rejects. */
  desktopOnline: (userId: string) => Promise<void>;
  /** Goes on with what nobody has settled. Rejects when it is unknown what became of it. */
  resume: (underWay: UnderWay, targets: readonly Target[]) => Promise<void>;
  /** Ends what is under way; devices that have not been reached are taken up again by a job. */
  stop: () => Promise<void>;
}>;

export type NotifierDeps = Omit<DeliveryDeps, 'gateway' | 'vault'> &
  Readonly<{
    /** Undefined: no push service is configured. */
    gateway: DeliveryDeps['gateway'] | undefined;
    vault: Pick<SubjectVault, 'open' | 'seal'>;
    /** The devices of a user that can be reached. */
    targets: (userId: string) => Promise<readonly Target[]>;
    /** Resolves after so many milliseconds; rejects when the server stops. */
    wait: (milliseconds: number) => Promise<void>;
    /** How long an answer waits for devices, in milliseconds. */
    answerWithinMs: number;
  }>;

const NOBODY: Reached = { configured: true, sent: 0, failed: 0, waiting: 0 };

const idOf = ({ userId, kind, jobId }: Order, { causationId, at }: Cause): string =>
  uuidOf(`notification|${userId}|${kind}|${kind === 'test' ? `${causationId}|${at}` : (jobId ?? '')}`);

const reachedOf = ({ devices }: RequestedNotification): Reached => {
  const all = Object.values(devices);
  const count = (which: string): number => all.filter((one) => one === which).length;
  return { configured: true, sent: count('delivered'), failed: count('failed'), waiting: count('waiting') };
};

/** Builds the notifier of this process. */
export const notifier = (deps: NotifierDeps): Notifier => {
  const { gateway, handler, vault, targets, clock, logger, wait, answerWithinMs } = deps;
  const stopping = new AbortController();
  /** What is being sent, by notification. */
  const running = new Map<string, Promise<unknown>>();
  const deliver = gateway === undefined ? undefined : delivery({ ...deps, gateway });

  /** Sends to one device; a fault leaves it waiting for the job. */
  const send = async (underWay: UnderWay, target: Target): Promise<void> => {
    try {
      await deliver?.(underWay, target, stopping.signal);
    } catch (error) {
      if (stopping.signal.aborted) return;
      const { notificationId } = underWay;
      logger.warn({ err: error, notificationId, deviceId: target.deviceId }, 'a notification waits to be sent again');
    }
  };

  const sendAll = (underWay: UnderWay, to: readonly Target[]): Promise<unknown> => {
    const { notificationId } = underWay;
    const sending = Promise.all([running.get(notificationId), ...to.map((target) => send(underWay, target))]);
    running.set(notificationId, sending);
    void sending.finally(() => {
      if (running.get(notificationId) === sending) running.delete(notificationId);
    });
    return sending;
  };

  const whoCanBeTold = async (userId: string): Promise<readonly Target[]> =>
    deliver === undefined ? [] : (await targets(userId)).filter(isApple);

  const requested = async (order: Order, notificationId: string, to: readonly Target[], cause: Cause) => {
    const { userId, kind, jobId, told } = order;
    const stream = streamOf({ category: NOTIFICATION }, notificationId);
    const content = await vault.seal(userId, stream, fitted(kind, jobId, told, cause.at));
    const deviceIds = to.map(({ deviceId }) => deviceId);
    const data = { notificationId, userId, kind, jobId, deviceIds, content, at: cause.at };
    const key = `request:${cause.causationId}:${cause.at}`;
    const { events, state } = await handler.handle(notificationId, { type: 'RequestNotification', key, data }, cause);
    if (state.status === 'none') throw new Error('a notification was asked for and is not there');
    const asked = events.find((event) => event.type === 'NotificationRequested');
    return { state, open: asked?.data.deviceIds ?? [], isNew: asked !== undefined };
  };

  const tell = async (order: Order, cause: Cause): Promise<Reached> => {
    const to = await whoCanBeTold(order.userId);
    if (to.length === 0 && isSilent(order.kind)) return NOBODY;
    const notificationId = idOf(order, cause);
    const { state, open, isNew } = await requested(order, notificationId, to, cause);
    if (!isNew && order.kind === 'job-progress') {
      const dueAt = Date.parse(state.since) + ONE_WITHIN_MS[order.kind];
      laterProgress(notificationId, order, Math.max(1, dueAt - Date.parse(cause.at)));
    }
    const sending = sendAll(
      { notificationId, state },
      to.filter(({ deviceId }) => open.includes(deviceId)),
    );
    if (reachedOf(state).waiting === 0) return reachedOf(state);
    await Promise.race([sending, wait(answerWithinMs).catch(() => undefined)]);
    const now = await handler.state(notificationId, { cached: true });
    return reachedOf(now.status === 'none' ? state : now);
  };

  const quietly = async (order: Order): Promise<void> => {
    try {
      await tell(order, sendingCause(`${order.kind}|${order.userId}|${order.jobId ?? ''}`, isoOf(clock())));
    } catch (error) {
      logger.warn({ err: error, userId: order.userId, kind: order.kind }, 'a silent notification was not sent');
    }
  };

  const laterProgress = newestLater<Order>({ wait, release: (order) => void quietly(order) });

  return {
    notify: async (order, cause) => ({ ...(await tell(order, cause)), configured: deliver !== undefined }),
    desktopOnline: async (userId) => {
      if (deliver === undefined) return;
      await quietly({ userId, kind: 'desktop-online', jobId: null, told: { title: '', body: '', data: {} } });
    },
    resume: async (underWay, to) => {
      await sendAll(underWay, to);
    },
    stop: async () => {
      stopping.abort();
      await Promise.all(running.values());
    },
  };
};
