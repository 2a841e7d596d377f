import { isoOf, type Clock } from '../../src/kernel/clock.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import { isApple, noteFailed, type NotificationHandler, type Target, type UnderWay } from './delivery.ts';
import type { Notifier } from './notifier.ts';
import { USEFUL_FOR_MS } from './notifications.state.ts';

type Deps = Readonly<{
  handler: NotificationHandler;
  notifier: Pick<Notifier, 'resume'>;
  /** Notifications asked for before an instant that some device still waits for. */
  unfinished: (before: Date) => Promise<readonly string[]>;
  targets: (userId: string) => Promise<readonly Target[]>;
  clock: Clock;
  logger: Logger;
  /** For how many milliseconds whoever was asked may still be sending. */
  graceMs: number;
}>;

const HOUR_MS = 3_600_000;

/** Nobody wants to be told of a job an hour late, however long the push service would keep it. */
const triedFor = ({ state }: UnderWay): number => Math.min(USEFUL_FOR_MS[state.kind], HOUR_MS);

/**
 * Takes up what an instance that is gone has left unsent: sends it again while it is of use, notes it as failed after
 * that. The list may be old, and others may do the same: the stream alone knows what is open. Resolves with how many
 * notifications were taken up.
 */
export const resumeNotifications =
  ({ handler, notifier, unfinished, targets, clock, logger, graceMs }: Deps) =>
  async (): Promise<number> => {
    const giveUp = async (underWay: UnderWay, deviceIds: readonly string[], reason: 'expired' | 'token_gone') => {
      for (const deviceId of deviceIds) {
        await noteFailed(handler, underWay, deviceId, { reason, detail: null, attempts: 0 }, isoOf(clock()));
      }
    };

    const takeUp = async (notificationId: string): Promise<void> => {
      const state = await handler.state(notificationId);
      if (state.status === 'none') return;
      const underWay = { notificationId, state };
      const open = Object.keys(state.devices).filter((deviceId) => state.devices[deviceId] === 'waiting');
      if (clock().getTime() - Date.parse(state.requestedAt) >= triedFor(underWay)) {
        await giveUp(underWay, open, 'expired');
        return;
      }
      const to = (await targets(state.userId)).filter((target) => isApple(target) && open.includes(target.deviceId));
      await giveUp(
        underWay,
        open.filter((deviceId) => !to.some((target) => target.deviceId === deviceId)),
        'token_gone',
      );
      await notifier.resume(underWay, to);
    };

    const found = await unfinished(new Date(clock().getTime() - graceMs));
    // At once: the gateway knows how many it may send, and one that is slow must not keep the others.
    await Promise.all(
      found.map((notificationId) =>
        takeUp(notificationId).catch((error: unknown) => {
          logger.warn({ err: error, notificationId }, 'a notification could not be taken up; it is tried again');
        }),
      ),
    );
    if (found.length > 0) logger.info({ notifications: found.length }, 'notifications were taken up again');
    return found.length;
  };
