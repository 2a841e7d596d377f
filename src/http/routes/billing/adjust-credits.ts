import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { CreditCommand } from '../../../../commands/credits/credits.commands.ts';
import { totalsOf } from '../../../../commands/credits/credits.lots.ts';
import type { CreditAccount } from '../../../../commands/credits/credits.state.ts';
import {
  CREDIT_ACCOUNT,
  type AdjustmentReason,
  type CreditAccountEvent,
} from '../../../events/credit-account/credit-account.events.ts';
import { isoAfter } from '../../../kernel/clock.ts';
import type { CommandHandler } from '../../../kernel/command-handler.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { uuidOf } from '../../../kernel/ids.ts';
import { microOf, usdText, type MicroUsd } from '../../../kernel/money.ts';
import type { SubjectVault } from '../../../kernel/vault.ts';
import { adminEndpoint, json, type Endpoint } from '../../endpoint.ts';
import { idempotencyKey } from '../../idempotency-key.ts';
import { signedUsd, userId, words } from './money-bodies.ts';

export type Accounts = CommandHandler<CreditAccount, CreditCommand, CreditAccountEvent>;
export type AdjustDeps = Readonly<{ accounts: Accounts; vault: Pick<SubjectVault, 'seal' | 'digest'> }>;

/** One administrator alone may adjust an account by so much a day; more needs a second one. */
export const FOUR_EYES_ABOVE: MicroUsd = 100_000_000n;
const DAY_MS = 24 * 60 * 60 * 1000;
const REASONS: readonly AdjustmentReason[] = ['adjustment', 'correction', 'goodwill', 'migration'];

const body = z.object({
  user_id: userId,
  amount: signedUsd,
  transaction_type: z.string().max(40).default('adjustment'),
  description: words,
  bucket: z.enum(['paid', 'promo']).default('paid'),
  /** Of promo credit that is given. */
  expires_in_days: z.int().min(1).max(3650).optional(),
});

type Body = z.infer<typeof body>;

/** The account; refuses a user without one. */
export const accountOf = async (accounts: Accounts, user: string): Promise<CreditAccount> => {
  const account = await accounts.state(user);
  if (account.status === 'open') return account;
  throw new DomainError('not_found', 'this user has no credit account');
};

/** The wish's id: the same key of the same administrator for the same user is the same wish. */
const idOf = (admin: string, { user_id, amount }: Body, key: string | undefined): string => {
  if (key !== undefined) return uuidOf(`adjustment|${admin}|${user_id}|${key}`);
  const size = amount.amount < 0n ? -amount.amount : amount.amount;
  if (size <= FOUR_EYES_ABOVE) return randomUUID();
  throw new DomainError(
    'bad_request',
    `an adjustment of more than ${usdText(FOUR_EYES_ABOVE)} USD needs an Idempotency-Key`,
  );
};

const commandOf = async (
  { vault }: AdjustDeps,
  wish: Body,
  { adjustmentId, admin, at }: Readonly<{ adjustmentId: string; admin: string; at: string }>,
): Promise<CreditCommand> => {
  const { user_id: user, amount, bucket, expires_in_days: days, description } = wish;
  const note = await vault.seal(user, `${CREDIT_ACCOUNT}-${user}`, description);
  const noteDigest = await vault.digest(user, description);
  const reasonCode = REASONS.find((known) => known === wish.transaction_type) ?? 'adjustment';
  const what = { adjustmentId, amount: amount.amount, bucket, reasonCode, note, noteDigest };
  const ends = days === undefined ? {} : { expiresAt: isoAfter(at, days * DAY_MS) };
  const data = { ...what, ...ends, by: admin, fourEyesAbove: FOUR_EYES_ABOVE, at };
  return { type: 'AdjustCredits', key: `adjust:${adjustmentId}`, data };
};

const found = (account: CreditAccount, adjustmentId: string) =>
  account.status === 'none' ? undefined : account.adjustments.find((one) => one.adjustmentId === adjustmentId);

/** Changes a balance by hand. What needs a second administrator is answered with 202 and waits. */
export const adjustCredits = (deps: AdjustDeps): Endpoint =>
  adminEndpoint({
    method: 'POST',
    path: '/api/billing/credits/admin/adjust',
    limit: 'write',
    body,
    handle: async ({ body: wish, cause, header }, { userId: admin }) => {
      const user = wish.user_id;
      const adjustmentId = idOf(admin, wish, idempotencyKey(header('idempotency-key')));
      await accountOf(deps.accounts, user);
      const command = await commandOf(deps, wish, { adjustmentId, admin, at: cause.at });
      const { state } = await deps.accounts.handle(user, command, cause);
      const known = found(state, adjustmentId);
      const waits = (known?.waiting ?? null) !== null;
      const adjustment = {
        userId: user,
        amount: wish.amount.text,
        transactionType: wish.transaction_type,
        description: wish.description,
        adjustedAt: known?.at ?? cause.at,
      };
      const newBalance = usdText(microOf(totalsOf(state).paid));
      if (!waits) return json(200, { success: true, adjustment, newBalance, currency: 'USD' });
      const pending = { adjustmentId, status: 'waiting' };
      return json(202, { success: false, adjustment: { ...adjustment, ...pending }, newBalance, currency: 'USD' });
    },
  });
