import { projector } from '../../infra/postgres/projector.ts';
import { queryRunner } from '../../infra/postgres/query-runner.ts';
import { adjustmentsProjection } from '../../projections/adjustments/adjustments.projection.ts';
import { apiKeysProjection } from '../../projections/api-keys/api-keys.projection.ts';
import { auditProjection } from '../../projections/audit/audit.projection.ts';
import { balanceProjection } from '../../projections/balance/balance.projection.ts';
import { billingProfileProjection } from '../../projections/billing-profile/billing-profile.projection.ts';
import { consentProjection } from '../../projections/consent/consent.projection.ts';
import { devicePresenceProjection } from '../../projections/device-presence/device-presence.projection.ts';
import { devicesProjection } from '../../projections/devices/devices.projection.ts';
import { erasuresProjection } from '../../projections/erasures/erasures.projection.ts';
import { journalProjection } from '../../projections/journal/journal.projection.ts';
import { ledgerProjection } from '../../projections/ledger/ledger.projection.ts';
import { notificationsProjection } from '../../projections/notifications/notifications.projection.ts';
import { paymentNoticesProjection } from '../../projections/payment-notices/payment-notices.projection.ts';
import { priceBookProjection } from '../../projections/price-book/price-book.projection.ts';
import { pushTokensProjection } from '../../projections/push-tokens/push-tokens.projection.ts';
import { purchasesProjection } from '../../projections/purchases/purchases.projection.ts';
import { requestsProjection } from '../../projections/requests/requests.projection.ts';
import { sessionsProjection } from '../../projections/sessions/sessions.projection.ts';
import { spendingLimitsProjection } from '../../projections/spending-limits/spending-limits.projection.ts';
import { topOffProjection } from '../../projections/top-off/top-off.projection.ts';
import { usageProjection } from '../../projections/usage/usage.projection.ts';
import { userFeed } from '../../projections/user-feed/user-feed.projection.ts';
import { usersProjection } from '../../projections/users/users.projection.ts';
import type { Clock } from '../kernel/clock.ts';
import type { EventStore } from '../kernel/event-store.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Projection } from '../kernel/projection.ts';
import type { SubjectVault } from '../kernel/vault.ts';
import type { WaitFor } from './read-your-writes.ts';
import type { DatabasePools } from '../../infra/postgres/pools.ts';

/** Every read model. */
export const projections: readonly Projection[] = [
  usersProjection,
  sessionsProjection,
  devicesProjection,
  devicePresenceProjection,
  pushTokensProjection,
  notificationsProjection,
  balanceProjection,
  ledgerProjection,
  usageProjection,
  journalProjection,
  adjustmentsProjection,
  spendingLimitsProjection,
  priceBookProjection,
  purchasesProjection,
  billingProfileProjection,
  paymentNoticesProjection,
  topOffProjection,
  apiKeysProjection,
  requestsProjection,
  consentProjection,
  erasuresProjection,
  auditProjection,
  userFeed,
];

/** Those that users ask questions of; the others need not be waited for. */
const unasked = new Set(['audit', 'user-feed', 'journal']);
const asked = projections.map(({ name }) => name).filter((name) => !unasked.has(name));

/** Under load a batch gathers this long, unless somebody waits for it: fewer, larger transactions. */
const LIMITS = { max: 2000, linger: 200 };

/** How long a query waits for the caller's own writes. */
const WAIT_MS = 1500;

type Deps = Readonly<{
  eventStore: EventStore;
  pools: DatabasePools;
  vault: SubjectVault;
  clock: Clock;
  logger: Logger;
  instance: string;
  /** False when another instance does the projecting. */
  own: boolean;
  /** Told when a read model has changed. */
  onAdvance: (name: string) => void;
}>;

/** The projector over all read models, and the queries on them. */
export const readSide = ({ eventStore: store, ...deps }: Deps) => {
  const projecting = projector({ ...deps, projections, store, limits: LIMITS });
  const queries = queryRunner(deps.pools);
  const waitFor: WaitFor = ({ stream, position }) =>
    projecting.waitFor(position, { names: asked, stream, timeoutMs: WAIT_MS });
  return { projector: projecting, queries, waitFor };
};

export type ReadSide = ReturnType<typeof readSide>;
