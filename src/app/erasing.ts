import { randomUUID } from 'node:crypto';
import { forgettingCustomers } from '../../commands/billing-profile/forgetting-customers.ts';
import { erasureService, LAST_OWN_STEP } from '../../commands/erasure/erasures.ts';
import { adjustmentsProjection } from '../../projections/adjustments/adjustments.projection.ts';
import { apiKeysProjection } from '../../projections/api-keys/api-keys.projection.ts';
import { billingProfileProjection } from '../../projections/billing-profile/billing-profile.projection.ts';
import { devicesProjection } from '../../projections/devices/devices.projection.ts';
import { purchasesProjection } from '../../projections/purchases/purchases.projection.ts';
import { pushTokensProjection } from '../../projections/push-tokens/push-tokens.projection.ts';
import { sessionsProjection } from '../../projections/sessions/sessions.projection.ts';
import { usersProjection } from '../../projections/users/users.projection.ts';
import { paymentsUnderWay } from '../../queries/billing/payments-under-way.query.ts';
import { apiKeysOf, devicesOf, remainsOf } from '../../queries/erasure/belongings.query.ts';
import { erasuresAfter, erasuresBefore } from '../../queries/erasure/erasures.query.ts';
import { pushTokensOf } from '../../queries/notifications/stale-push-tokens.query.ts';
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
/** After so many failures in a row the payment provider is away, and is left alone: longer each time, up to a limit. */
const ENOUGH_FAILURES = 3;
const FIRST_REST_MS = 1000;
const LONGEST_REST_MS = 30_000;

/** The read models that tell what a user has. */
const asked = [
  usersProjection,
  sessionsProjection,
  devicesProjection,
  pushTokensProjection,
  apiKeysProjection,
  purchasesProjection,
  billingProfileProjection,
  adjustmentsProjection,
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
    releaseToken: (held, cause) => write.pushTokens.releaseStale(held, cause),
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
        pushTokens: await queries.asSystem(pushTokensOf(userId)),
      };
    },
    remains: async (userId) => {
      await caughtUp();
      // What is being built may have been begun while the key was there; what begins from now on cannot open anything.
      if (!(await projector.forgetBeside())) throw new Error('a read model is being built; an erasure waits for it');
      return queries.asSystem(remainsOf(userId));
    },
    vault,
    store,
    clock,
    newId: randomUUID,
  });

  /** False when it failed: one that is stuck must not keep the others. */
  const goOn = async (userId: string, upTo: 'ErasureCompleted' | typeof LAST_OWN_STEP): Promise<boolean> => {
    try {
      await erasures.proceed(userId, upTo);
      return true;
    } catch (error) {
      logger.warn({ err: error, userId }, 'an erasure could not go on; it is tried again');
      return false;
    }
  };

  const mayRun = (): boolean => projector.isReadable();
  const own: Job = {
    name: 'finish-erasures',
    everyMs: EVERY_MS,
    mayRun,
    run: async () => {
      for (const userId of await queries.asSystem(erasuresBefore(LAST_OWN_STEP, AT_ONCE))) {
        await goOn(userId, LAST_OWN_STEP);
      }
    },
  };

  let restsUntil = 0;
  let restMs = FIRST_REST_MS;
  /** Apart from the others, for the provider may take long to say that it is away. */
  const atProvider: Job = {
    name: 'forget-customers',
    everyMs: EVERY_MS,
    mayRun: () => mayRun() && clock().getTime() >= restsUntil,
    run: async () => {
      let failures = 0;
      for (const userId of await queries.asSystem(erasuresAfter(LAST_OWN_STEP, AT_ONCE))) {
        failures = (await goOn(userId, 'ErasureCompleted')) ? 0 : failures + 1;
        if (failures === ENOUGH_FAILURES) break;
      }
      restsUntil = failures > 0 ? clock().getTime() + restMs : 0;
      restMs = failures > 0 ? Math.min(restMs * 2, LONGEST_REST_MS) : FIRST_REST_MS;
    },
  };
  return { erasures, jobs: [own, atProvider] };
};
