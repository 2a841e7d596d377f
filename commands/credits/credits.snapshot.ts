import type { SnapshotCodec } from '../../src/kernel/aggregate.ts';
import type { CreditAccount, OpenAccountState } from './credits.state.ts';

const BIGINT_MEMBERS = new Set([
  'given',
  'remaining',
  'm',
  'requested',
  'forgiven',
  'credit',
  'clawed',
  'inDay',
  'inMonth',
  'total',
]);

const AS_WRITTEN = new Set(['soFar', 'work', 'settled', 'budgets', 'limits', 'books', 'waiting', 'wishes']);

/** Micro-USD members as decimal digits, so that no JSON tool rounds them. */
const toJson = (state: CreditAccount): unknown =>
  JSON.parse(JSON.stringify(state, (_name, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)));

const isAmount = (name: string, value: unknown): value is string =>
  BIGINT_MEMBERS.has(name) && typeof value === 'string';

const revive = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      // What a provider or a checkpoint said is carried as it was written.
      if (AS_WRITTEN.has(name)) return [name, member as unknown];
      return [name, isAmount(name, member) ? BigInt(member) : revive(member)];
    }),
  );
};

const fromJson = (json: unknown): CreditAccount => {
  const state = revive(json) as CreditAccount;
  if (state.status === 'none') return state;
  // JSON has no undefined: a paid lot's expiry comes back as an absent member.
  const lots = state.lots.map((lot): OpenAccountState['lots'][number] => ({ ...lot, expiresAt: lot.expiresAt }));
  return { ...state, lots };
};

/** A snapshot every 500 events keeps the first command after a start fast for busy accounts. */
export const creditAccountSnapshot: SnapshotCodec<CreditAccount> = { version: 4, every: 500, toJson, fromJson };
