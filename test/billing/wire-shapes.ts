import { z } from 'zod';

const usd = z.number();
const decimal = z.string().regex(/^-?\d+(\.\d{1,6})?$/);
const instant = z.iso.datetime();

const text = z.string().nullable();

/** Who the invoices go to. The key of a tax id is `type_`, as the desktop spells it. */
const customerBillingInfo = z.strictObject({
  customerName: text,
  customerEmail: text,
  phone: text,
  taxExempt: z.enum(['none', 'exempt', 'reverse']).nullable(),
  taxIds: z.array(z.strictObject({ type_: z.string(), value: z.string(), country: text, verificationStatus: text })),
  addressLine1: text,
  addressLine2: text,
  addressCity: text,
  addressState: text,
  addressPostalCode: text,
  addressCountry: text,
  hasBillingInfo: z.boolean(),
});

/** What the desktop decodes strictly: every key there, none of another type. */
export const dashboard = z.strictObject({
  creditBalanceUsd: usd,
  freeCreditBalanceUsd: usd,
  freeCreditsExpiresAt: instant.nullable(),
  servicesBlocked: z.boolean(),
  isPaymentMethodRequired: z.boolean(),
  isBillingInfoRequired: z.boolean(),
  customerBillingInfo: customerBillingInfo.nullable(),
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

/** Seconds, not milliseconds: far from either end of what could be meant. */
const unixSeconds = z.int().min(1_000_000_000).max(9_999_999_999);

export const paymentMethods = z.strictObject({
  totalMethods: z.int(),
  hasDefault: z.boolean(),
  methods: z.array(
    z.strictObject({
      id: z.string().min(1),
      /** `Card`, `SepaDebit`: a variant's name, not the payment provider's. */
      type: z.string().regex(/^(?:[A-Z][a-z0-9]*)+$/),
      card: z
        .strictObject({
          brand: z.string(),
          last4: z.string().length(4),
          expMonth: z.int().min(1).max(12),
          expYear: z.int(),
        })
        .nullable(),
      created: unixSeconds,
      isDefault: z.boolean(),
    }),
  ),
});

export const invoices = z.strictObject({
  invoices: z.array(
    z.strictObject({
      id: z.string().min(1),
      created: unixSeconds,
      dueDate: unixSeconds.nullable(),
      amountPaidDisplay: z.string().regex(/^\d+\.\d\d$/),
      amountPaid: z.int(),
      currency: z.string().regex(/^[a-z]{3}$/),
      status: z.enum(['draft', 'open', 'paid', 'void', 'uncollectible', 'unknown']),
      invoicePdfUrl: z.url().nullable(),
    }),
  ),
  totalInvoices: z.int(),
  hasMore: z.boolean(),
});

export const checkoutSession = z.strictObject({ sessionId: z.string().min(1), url: z.url() });

export const sessionStatus = z.strictObject({
  status: z.enum(['open', 'complete', 'expired']),
  customerEmail: text,
  paymentStatus: z.enum(['paid', 'unpaid', 'no_payment_required', 'processing']),
});

export const publishableKey = z.strictObject({ publishableKey: z.string().regex(/^pk_/) });

export const portal = z.strictObject({ url: z.url() });

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
