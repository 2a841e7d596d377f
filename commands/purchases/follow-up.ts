import { isoAfter, isoOf, notAfter, type Clock } from '../../src/kernel/clock.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { Purchasing } from './purchasing.ts';
import type { BegunPurchase } from './purchases.state.ts';

type Deps = Readonly<{
  purchasing: Pick<Purchasing, 'reconcile' | 'abandon'>;
  /** Purchases that are not done with at this time. */
  unfinished: (at: string) => Promise<readonly string[]>;
  clock: Clock;
  logger: Logger;
}>;

const DAY_MS = 86_400_000;

/** Its page was never shown to anybody: the provider was away, or we were, while it was being opened. */
const isOrphan = ({ status, sessionId, invoice, kind, begunAt }: BegunPurchase, now: string): boolean =>
  kind === 'checkout' &&
  status === 'open' &&
  sessionId === null &&
  invoice === null &&
  notAfter(isoAfter(begunAt, DAY_MS), now);

/**
 * Looks at purchases that are not done with, so that a notice that never comes loses nobody's money. Resolves with how
 * many were looked at.
 */
export const followUpPurchases =
  ({ purchasing, unfinished, clock, logger }: Deps) =>
  async (): Promise<number> => {
    const at = isoOf(clock());
    const ids = await unfinished(at);
    for (const purchaseId of ids) {
      const id = uuidOf(`follow-up|${purchaseId}|${at}`);
      const cause: Cause = {
        at,
        correlationId: id,
        causationId: id,
        actor: { kind: 'job', id: 'unfinished-purchases' },
      };
      try {
        const purchase = await purchasing.reconcile(purchaseId, {}, cause);
        if (purchase !== undefined && isOrphan(purchase, at)) await purchasing.abandon(purchaseId, cause);
      } catch (error) {
        logger.warn({ err: error, purchaseId }, 'a purchase could not be looked at; it is looked at again');
      }
    }
    return ids.length;
  };
