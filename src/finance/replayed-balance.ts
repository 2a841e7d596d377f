import { creditAccount } from '../../commands/credits/index.ts';
import { available, totalsOf } from '../../commands/credits/credits.lots.ts';
import type { CreditAccountEvent } from '../events/credit-account/credit-account.events.ts';
import { streamOf } from '../kernel/aggregate.ts';
import { fold } from '../kernel/decider.ts';
import { isoOf } from '../kernel/clock.ts';
import { positionText, type EventStore, type StoredEvent } from '../kernel/event-store.ts';
import { microOf, usdText } from '../kernel/money.ts';
import { upcast } from '../kernel/upcasting.ts';

/** Until when events count: a moment of the store's clock, a position in the log, or everything there is. */
export type AsOf =
  | Readonly<{ kind: 'time'; at: Date }>
  | Readonly<{ kind: 'position'; commit: bigint }>
  | Readonly<{ kind: 'now'; at: Date }>;

/** A balance, replayed from the account's events and from nothing else. Amounts in USD, exact to the micro-dollar. */
export type ReplayedBalance = Readonly<{
  userId: string;
  /** The moment at which expiry is judged; null: there is no event at that point. */
  asOf: string | null;
  events: number;
  revision: string | null;
  position: string | null;
  /** The hash that the account's chain ends with: it stands for every event that was counted. */
  hash: string | null;
  availableUsd: string;
  paidUsd: string;
  promoUsd: string;
  heldUsd: string;
  shortfallUsd: string;
  availableMicro: string;
  openHolds: number;
}>;

const counts = (event: StoredEvent, asOf: AsOf): boolean => {
  if (asOf.kind === 'time') return event.created.getTime() <= asOf.at.getTime();
  return asOf.kind === 'now' || event.position.commit <= asOf.commit;
};

/** The moment at which expiry is judged: of a position, when the last event of the account up to it was written. */
const momentOf = (asOf: AsOf, last: StoredEvent | undefined): Date | undefined =>
  asOf.kind === 'position' ? last?.created : asOf.at;

/** Folds the raw stream of a user's account. A user without an account has zero and no events. */
export const replayedBalance = async (
  store: Pick<EventStore, 'read'>,
  userId: string,
  asOf: AsOf,
): Promise<ReplayedBalance> => {
  const { decider, upcasters } = creditAccount;
  const stored = (await store.read(streamOf(creditAccount, userId))).filter((event) => counts(event, asOf));
  const state = fold(
    decider,
    decider.initial,
    stored.map((event) => upcast(upcasters, event) as CreditAccountEvent),
  );
  const last = stored.at(-1);
  const moment = momentOf(asOf, last);
  const totals = totalsOf(state);
  const free = moment === undefined ? 0n : available(state, isoOf(moment));
  const usd = (text: string): string => usdText(microOf(text));
  return {
    userId,
    asOf: moment === undefined ? null : isoOf(moment),
    events: stored.length,
    revision: last?.revision.toString() ?? null,
    position: last === undefined ? null : positionText(last.position),
    hash: last?.metadata.hash ?? null,
    availableUsd: usdText(free),
    paidUsd: usd(totals.paid),
    promoUsd: usd(totals.promo),
    heldUsd: usd(totals.held),
    shortfallUsd: usd(totals.shortfall),
    availableMicro: free.toString(),
    openHolds: state.status === 'none' ? 0 : state.holds.length,
  };
};
