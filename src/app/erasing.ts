import { randomUUID } from 'node:crypto';
import { forgettingCustomers } from '../../commands/billing-profile/forgetting-customers.ts';
import { erasureService } from '../../commands/erasure/erasures.ts';
import { apiKeysProjection } from '../../projections/api-keys/api-keys.projection.ts';
import { billingProfileProjection } from '../../projections/billing-profile/billing-profile.projection.ts';
import { devicesProjection } from '../../projections/devices/devices.projection.ts';
import { purchasesProjection } from '../../projections/purchases/purchases.projection.ts';
import { sessionsProjection } from '../../projections/sessions/sessions.projection.ts';
import { usersProjection } from '../../projections/users/users.projection.ts';
import { paymentsUnderWay } from '../../queries/billing/payments-under-way.query.ts';
import { apiKeysOf, devicesOf, remainsOf } from '../../queries/erasure/belongings.query.ts';
import { runningErasures } from '../../queries/erasure/erasures.query.ts';
import { openSessions } from '../../queries/users/open-sessions.query.ts';
import { isoOf, type Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { PaymentProvider } from '../kernel/payments.ts';
import type { Job } from './jobs.ts';
import type { ReadSide } from './read-side.ts';
import type { Stores } from './stores.ts';
import type { WriteSide } from './write-side.ts';

type Deps = Readonly<{
  stores: Pick<Stores, 'eventStore' | 'vault'>;
  write: WriteSide;
  read: Pick<ReadSide, 'projector' | 'queries'>;
  forgetAnswers: (userId: string) => Promise<number>;
  /** Undefined when nothing can be paid here. */
  provider: PaymentProvider | undefined;
  clock: Clock;
  logger: Logger;
}>;

const EVERY_MS = 1000;
const AT_ONCE = 50;
const CATCH_UP_MS = 5000;

/** The read models that tell what a user has. */
const asked = [
  usersProjection,
  sessionsProjection,
  devicesProjection,
  apiKeysProjection,
  purchasesProjection,
  billingProfileProjection,
].map(({ name }) => name);

/** Forgetting users, and the job that finishes what was begun, here or anywhere. */
export const erasing = ({ stores, write, read, forgetAnswers, provider, clock, logger }: Deps) => {
  const { eventStore: store, vault } = stores;
  const { queries, projector } = read;

  /** Rejects while the read models do not show everything that is in the log now: nothing may be overlooked. */
  const caughtUp = async (): Promise<void> => {
    const head = await store.head();
    if (head === undefined || (await projector.waitFor(head, { names: asked, timeoutMs: CATCH_UP_MS }))) return;
    throw new Error('the read models are behind; an erasure waits for them');
  };

  const erasures = erasureService({
    erasures: write.erasures,
    credits: write.credits,
    users: write.users,
    sessions: write.sessions,
    apiKeys: write.apiKeys,
    removeDevice: (whose, cause) => write.pushTokens.removeDevice(whose, cause),
    forgetAnswers,
    profiles: write.profiles,
    forgetCustomer: forgettingCustomers({ profiles: write.profiles, provider, newId: randomUUID }),
    isPaying: async (userId) => {
      // A charge that was begun may come through at any moment. Without a provider nobody will ever end it.
      if (provider !== undefined && (await write.topOffs.state(userId)).open !== null) return true;
      await caughtUp();
      return (await queries.asSystem(paymentsUnderWay(userId))).length > 0;
    },
    belongings: async (userId) => {
      await caughtUp();
      return {
        sessions: await queries.asSystem(openSessions(userId, isoOf(clock()))),
        apiKeys: await queries.asSystem(apiKeysOf(userId)),
        devices: await queries.asSystem(devicesOf(userId)),
      };
    },
    remains: async (userId) => {
      await caughtUp();
      return queries.asSystem(remainsOf(userId));
    },
    vault,
    store,
    clock,
    newId: randomUUID,
  });

  const finish = async (userId: string): Promise<void> => {
    try {
      await erasures.proceed(userId);
    } catch (error) {
      // One that is stuck must not keep the others.
      logger.warn({ err: error, userId }, 'an erasure could not go on; it is tried again');
    }
  };

  const job: Job = {
    name: 'finish-erasures',
    everyMs: EVERY_MS,
    mayRun: () => projector.status().every(({ state }) => state !== 'unknown'),
    run: async () => {
      for (const userId of await queries.asSystem(runningErasures(AT_ONCE))) await finish(userId);
    },
  };
  return { erasures, job };
};
