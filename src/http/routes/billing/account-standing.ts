import { z } from 'zod';
import { shortfallOf, totalsOf } from '../../../../commands/credits/credits.lots.ts';
import type { CreditCommand } from '../../../../commands/credits/credits.commands.ts';
import type { CreditAccount } from '../../../../commands/credits/credits.state.ts';
import { isoAfter } from '../../../kernel/clock.ts';
import type { Cause } from '../../../kernel/message.ts';
import { microOf, usdText } from '../../../kernel/money.ts';
import { uuidOf } from '../../../kernel/ids.ts';
import { adminEndpoint, json, type Endpoint } from '../../endpoint.ts';
import { idempotencyKey } from '../../idempotency-key.ts';
import { accountOf, FOUR_EYES_ABOVE, type Accounts } from './adjust-credits.ts';
import { usd, userId } from './money-bodies.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const ref = z.string().regex(/^[\w.:-]{1,100}$/, 'must be a short name');
const reason = z.enum(['admin', 'fraud', 'dispute']);

const standing = (user: string, account: CreditAccount) => {
  const { paid, promo, held } = totalsOf(account);
  const open = account.status === 'open' ? account : undefined;
  return {
    userId: user,
    paidUsd: usdText(microOf(paid)),
    promoUsd: usdText(microOf(promo)),
    heldUsd: usdText(microOf(held)),
    shortfallUsd: usdText(open === undefined ? 0n : shortfallOf(open)),
    blocks: (open?.blocks ?? [])
      .filter(({ lifted }) => !lifted)
      .map(({ reason: why, ref: what }) => ({ reason: why, ref: what })),
  };
};

type Spec<B> = Readonly<{
  path: string;
  body: z.ZodType<B & Readonly<{ user_id: string }>>;
  /** `key` is the client's name of the wish, else the request's; `wishId` only the client's. */
  command: (body: B, cause: Cause, key: string, wishId: string | undefined) => CreditCommand;
}>;

/** An administrator's command on one account, answered with how it stands then. */
const onAccount = <B>(accounts: Accounts, { path, body, command }: Spec<B>): Endpoint =>
  adminEndpoint({
    method: 'POST',
    path: `/api/billing/credits/admin/${path}`,
    limit: 'write',
    body,
    handle: async ({ body: wish, cause, header, requestId }) => {
      const user = wish.user_id;
      await accountOf(accounts, user);
      const wishId = idempotencyKey(header('idempotency-key'));
      const { state } = await accounts.handle(user, command(wish, cause, wishId ?? requestId, wishId), cause);
      return json(200, standing(user, state));
    },
  });

/** Blocking and unblocking of spending, free credit by hand, and giving up what is owed. */
export const accountStanding = ({ accounts }: Readonly<{ accounts: Accounts }>): readonly Endpoint[] => [
  onAccount(accounts, {
    path: 'block',
    body: z.object({ user_id: userId, reason, ref }),
    command: ({ reason: why, ref: what }, { at }) => ({
      type: 'BlockSpending',
      key: `block:${why}:${what}`,
      data: { reason: why, ref: what, at },
    }),
  }),
  onAccount(accounts, {
    path: 'unblock',
    body: z.object({ user_id: userId, reason, ref }),
    command: ({ reason: why, ref: what }, { at }) => ({
      type: 'UnblockSpending',
      key: `unblock:${why}:${what}`,
      data: { reason: why, ref: what, at },
    }),
  }),
  onAccount(accounts, {
    path: 'grant',
    body: z.object({
      user_id: userId,
      amount: usd,
      expires_in_days: z.int().min(1).max(3650),
      reason: z.enum(['support', 'campaign']).default('support'),
    }),
    command: ({ user_id: user, amount, expires_in_days: days, reason: why }, { at }, key) => {
      const grantId = uuidOf(`grant|${user}|${key}`);
      const expiresAt = isoAfter(at, days * DAY_MS);
      const data = { grantId, amount, expiresAt, reason: why, fourEyesAbove: FOUR_EYES_ABOVE, at };
      return { type: 'GrantPromo', key: `grant:${grantId}`, data };
    },
  }),
  onAccount(accounts, {
    path: 'write-off',
    body: z.object({ user_id: userId, reason: z.string().regex(/^[a-z_]{1,40}$/, 'must be a word') }),
    command: ({ reason: reasonCode }, { at }, key, wishId) => ({
      type: 'WriteOffShortfall',
      key: `writeOff:${key}`,
      data: { ...(wishId === undefined ? {} : { wishId }), reasonCode, at },
    }),
  }),
];
