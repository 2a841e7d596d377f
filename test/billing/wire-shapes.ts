import { z } from 'zod';

const usd = z.number();
const decimal = z.string().regex(/^-?\d+(\.\d{1,6})?$/);
const instant = z.iso.datetime();

/** What the desktop decodes strictly: every key there, none of another type. */
export const dashboard = z.strictObject({
  creditBalanceUsd: usd,
  freeCreditBalanceUsd: usd,
  freeCreditsExpiresAt: instant.nullable(),
  servicesBlocked: z.boolean(),
  isPaymentMethodRequired: z.boolean(),
  isBillingInfoRequired: z.boolean(),
  customerBillingInfo: z.null(),
  usageLimitUsd: usd,
  currentUsage: usd,
});

const totals = {
  totalCost: usd,
  totalRequests: z.int(),
  totalInputTokens: z.int(),
  totalOutputTokens: z.int(),
  totalCachedTokens: z.int(),
  totalDurationMs: z.int(),
};

export const usageSummary = z.strictObject({
  detailedUsage: z.array(
    z.strictObject({ serviceName: z.string(), modelDisplayName: z.string(), providerCode: z.string(), ...totals }),
  ),
  summary: z.strictObject(totals),
});

export const creditBalance = z.strictObject({
  userId: z.uuid(),
  balance: decimal,
  currency: z.literal('USD'),
  freeCreditBalance: decimal,
  freeCreditsGrantedAt: instant.nullable(),
  freeCreditsExpiresAt: instant.nullable(),
  freeCreditsExpired: z.boolean(),
  createdAt: instant,
  updatedAt: instant.nullable(),
});

export const creditDetails = z.strictObject({
  stats: z.strictObject({
    userId: z.uuid(),
    currentBalance: decimal,
    totalPurchased: decimal,
    totalConsumed: decimal,
    totalRefunded: decimal,
    netBalance: decimal,
    transactionCount: z.int(),
    currency: z.literal('USD'),
  }),
  transactions: z.array(
    z.strictObject({
      id: z.uuid(),
      userId: z.uuid(),
      transactionType: z.enum([
        'purchase',
        'consumption',
        'adjustment',
        'refund',
        'signup_bonus',
        'expiry',
        'refund_adjustment',
      ]),
      netAmount: decimal,
      grossAmount: decimal.nullable(),
      feeAmount: decimal.nullable(),
      currency: z.literal('USD'),
      description: z.string(),
      stripeChargeId: z.string().nullable(),
      relatedApiUsageId: z.string().nullable(),
      metadata: z.record(z.string(), z.unknown()),
      createdAt: instant,
      balanceAfter: decimal,
    }),
  ),
  totalTransactionCount: z.int(),
  hasMore: z.boolean(),
});

const tokens = z.int().nullable();

export const unifiedHistory = z.strictObject({
  entries: z.array(
    z.strictObject({
      id: z.uuid(),
      price: usd,
      date: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      model: z.string(),
      inputTokens: tokens,
      outputTokens: tokens,
      cacheWriteTokens: tokens,
      cacheReadTokens: tokens,
      balanceAfter: usd,
      description: z.string(),
      transactionType: z.enum(['usage', 'purchase', 'bonus', 'expiry', 'refund', 'adjustment']),
    }),
  ),
  totalCount: z.int(),
  hasMore: z.boolean(),
});

export const feeTiers = z.strictObject({
  tiers: z.array(z.strictObject({ min: decimal, max: decimal.nullable(), feeRate: decimal, label: z.string().min(1) })),
});

export const autoTopOff = z.strictObject({
  enabled: z.boolean(),
  threshold: decimal.nullable(),
  amount: decimal.nullable(),
});

export const paymentMethods = z.strictObject({
  totalMethods: z.int(),
  hasDefault: z.boolean(),
  methods: z.array(z.never()),
});

export const invoices = z.strictObject({ invoices: z.array(z.never()), totalInvoices: z.int(), hasMore: z.boolean() });

const adjustment = {
  userId: z.uuid(),
  amount: z.string(),
  transactionType: z.string(),
  description: z.string(),
  adjustedAt: instant,
};

export const adjusted = z.strictObject({
  success: z.literal(true),
  adjustment: z.strictObject(adjustment),
  newBalance: decimal,
  currency: z.literal('USD'),
});

/** Not in the contract: what needs a second administrator. */
export const adjustmentWaits = z.strictObject({
  success: z.literal(false),
  adjustment: z.strictObject({ ...adjustment, adjustmentId: z.uuid(), status: z.literal('waiting') }),
  newBalance: decimal,
  currency: z.literal('USD'),
});

export const providerUsage = z.strictObject({
  records: z.array(
    z.strictObject({
      id: z.string(),
      userId: z.uuid(),
      serviceName: z.string(),
      tokensInput: z.int(),
      tokensOutput: z.int(),
      cachedInputTokens: z.int(),
      cacheWriteTokens: z.int(),
      cacheReadTokens: z.int(),
      cost: decimal,
      timestamp: instant,
      requestId: z.string().optional(),
      metadata: z.record(z.string(), z.unknown()).optional(),
      costResolutionMethod: z.string(),
      effectiveModelId: z.string(),
    }),
  ),
  totalRecords: z.int(),
  queryLimit: z.int(),
  debugInfo: z.strictObject({
    costResolutionMethods: z.array(z.string()),
    serviceNamesFound: z.array(z.string()),
    usersFound: z.array(z.uuid()),
    dateRange: z.strictObject({ earliestRecord: instant.nullable(), latestRecord: instant.nullable() }),
  }),
});
