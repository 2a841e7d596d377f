import type { StripeEventEvent } from '../../src/events/stripe-event/stripe-event.events.ts';
import { isoOf, type Clock } from '../../src/kernel/clock.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { PaymentNotice, PaymentProvider } from '../../src/kernel/payments.ts';
import { serialByKey } from '../../src/kernel/serial.ts';
import type { Customers } from '../billing-profile/customers.ts';
import { isFinal } from '../purchases/crediting.ts';
import type { Purchasing } from '../purchases/purchasing.ts';
import type { NoticeCommand } from './payment-notices.commands.ts';
import type { NoticeState, ReceivedNotice } from './payment-notices.decider.ts';

export type Notices = CommandHandler<NoticeState, NoticeCommand, StripeEventEvent>;

/** What the work on a notice came to. */
type Outcome = Readonly<{ did: string }> | Readonly<{ nothing: string }> | Readonly<{ stuck: string }>;

/** The inbox of the payment provider's notices. */
export type NoticeDesk = Readonly<{
  /** Makes the notice safe; resolves when it is. Its work is begun and not waited for. */
  receive: (notice: PaymentNotice) => Promise<void>;
  /** Works on a notice, if it still waits. May be done by several at once. */
  work: (noticeId: string) => Promise<void>;
  /** Has a notice worked on again. */
  replay: (noticeId: string, cause: Cause) => Promise<void>;
  /** Resolves when nothing is being worked on here. */
  idle: () => Promise<void>;
}>;

type Deps = Readonly<{
  notices: Notices;
  purchasing: Purchasing;
  customers: Customers;
  provider: PaymentProvider;
  clock: Clock;
  logger: Logger;
}>;

const PAYMENT = /^(?:payment_intent|invoice|charge|refund)\./;
const CHECKOUT = /^checkout\.session\./;
const PROFILE = /^(?:customer|payment_method|setup_intent)\./;

const causeOf = (noticeId: string, at: string): Cause => {
  const id = uuidOf(`notice|${noticeId}`);
  return { at, correlationId: id, causationId: id, actor: { kind: 'system', id: noticeId } };
};

const refOf = ({ objectKind, objectId, paymentIntentId }: ReceivedNotice['notice']) => {
  if (objectKind === 'checkout.session') return { sessionId: objectId };
  if (objectKind === 'invoice') return { invoiceId: objectId };
  return paymentIntentId === null ? {} : { paymentIntentId };
};

/** Works notices off. What happened is fetched, so that their order, doubles and delays do not matter. */
export const noticeDesk = ({ notices, purchasing, customers, provider, clock, logger }: Deps): NoticeDesk => {
  const inTurn = serialByKey();
  const running = new Set<Promise<void>>();

  const payment = async (notice: ReceivedNotice['notice'], cause: Cause): Promise<Outcome> => {
    const { type, paymentIntentId } = notice;
    const purchaseId =
      notice.purchaseId ?? (paymentIntentId === null ? undefined : await provider.purchaseOf(paymentIntentId));
    const paid = type === 'payment_intent.succeeded';
    if (purchaseId === undefined) return paid ? { stuck: 'no_purchase' } : { nothing: 'not a purchase of ours' };
    // Several notices come of one payment: one after the other here, each sees what the one before it did.
    const purchase = await inTurn(purchaseId, () => purchasing.reconcile(purchaseId, refOf(notice), cause));
    if (purchase === undefined) return paid ? { stuck: 'unknown_purchase' } : { nothing: 'not a purchase of ours' };
    if (purchase.status === 'mismatch') {
      logger.error({ purchaseId, type }, 'a payment is not what was to be paid; it was not credited');
      // For administrators to see; of several notices, the one that says that there is money.
      if (paid) return { stuck: 'mismatch' };
    }
    return { did: `purchase ${purchase.status}` };
  };

  const profile = async (notice: ReceivedNotice['notice'], cause: Cause): Promise<Outcome> => {
    const { customerId, objectKind, objectId } = notice;
    const userId = customerId === null ? undefined : await customers.owner(customerId);
    if (customerId === null || userId === undefined) return { nothing: 'not a customer of ours' };
    // Several notices come of one page too.
    await inTurn(customerId, () =>
      objectKind === 'checkout.session'
        ? customers.setupEnded(userId, customerId, objectId, cause)
        : customers.refresh(userId, customerId, cause),
    );
    return { did: 'profile' };
  };

  const outcomeOf = (notice: ReceivedNotice['notice'], cause: Cause): Promise<Outcome> => {
    if (CHECKOUT.test(notice.type)) {
      return notice.purchaseId === null ? profile(notice, cause) : payment(notice, cause);
    }
    if (PAYMENT.test(notice.type)) return payment(notice, cause);
    if (PROFILE.test(notice.type)) return profile(notice, cause);
    return Promise.resolve({ nothing: 'of no concern' });
  };

  const commandFor = (outcome: Outcome, said: number): NoticeCommand => {
    const at = isoOf(clock());
    if ('did' in outcome) return { type: 'ApplyNotice', key: `apply:${said}`, data: { outcome: outcome.did, at } };
    if ('nothing' in outcome)
      return { type: 'IgnoreNotice', key: `ignore:${said}`, data: { why: outcome.nothing, at } };
    return { type: 'ParkNotice', key: `park:${said}`, data: { code: outcome.stuck, at } };
  };

  const failure = (error: unknown, said: number): NoticeCommand => {
    const code = isDomainError(error) ? error.errorType : 'internal_error';
    const at = isoOf(clock());
    return isFinal(error)
      ? { type: 'ParkNotice', key: `park:${said}`, data: { code, at } }
      : { type: 'FailNotice', key: `fail:${said}`, data: { code, at } };
  };

  const work = async (noticeId: string): Promise<void> => {
    const state = await notices.state(noticeId);
    if (state.status !== 'waiting') return;
    const { notice, said } = state;
    const cause = causeOf(noticeId, isoOf(clock()));
    const command = await outcomeOf(notice, cause).then(
      (outcome) => commandFor(outcome, said),
      (error: unknown) => {
        logger.warn({ err: error, noticeId, type: notice.type }, 'a notice of the payment provider failed');
        return failure(error, said);
      },
    );
    const { state: after } = await notices.handle(noticeId, command, cause);
    if (after.status === 'parked') {
      logger.error({ noticeId, type: notice.type }, 'a notice of the payment provider is parked; look and replay it');
    }
  };

  const begin = (noticeId: string): void => {
    const task = work(noticeId)
      .catch((error: unknown) => logger.warn({ err: error, noticeId }, 'a notice waits for its next turn'))
      .finally(() => running.delete(task));
    running.add(task);
  };

  return {
    receive: async (notice) => {
      const at = isoOf(clock());
      const command = { type: 'ReceiveNotice', key: 'receive', data: { notice, at } } as const;
      await notices.handle(notice.noticeId, command, causeOf(notice.noticeId, at));
      begin(notice.noticeId);
    },
    work,
    replay: async (noticeId, cause) => {
      const data = { by: cause.actor.id, at: cause.at };
      await notices.handle(noticeId, { type: 'ReplayNotice', key: `replay:${cause.causationId}`, data }, cause);
      begin(noticeId);
    },
    idle: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
};
