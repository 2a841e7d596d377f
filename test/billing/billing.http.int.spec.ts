import { expect } from 'chai';
import fc from 'fast-check';
import { creditAccount } from '../../commands/credits/index.ts';
import type { CreditCommand, Outcome } from '../../commands/credits/credits.commands.ts';
import { balanceProjection } from '../../projections/balance/balance.projection.ts';
import { billingProfileProjection } from '../../projections/billing-profile/billing-profile.projection.ts';
import { ledgerProjection } from '../../projections/ledger/ledger.projection.ts';
import { usageProjection } from '../../projections/usage/usage.projection.ts';
import { abandonedHolds } from '../../queries/billing/abandoned-holds.query.ts';
import { usageSummary as usageSummaryQuery } from '../../queries/billing/usage-summary.query.ts';
import { billingEndpoints } from '../../src/http/routes/billing/index.ts';
import { paymentsOff } from '../../src/http/routes/billing/payments-off.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { Cause } from '../../src/kernel/message.ts';
import { metered, outcome, work } from '../credits/fixtures.ts';
import { ada, grace, startHttp, type HttpUnderTest } from '../support/given-http.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { usualPolicy } from '../support/usual-policy.ts';
import { startReadSide, type ReadSide } from './read-side.ts';
import * as wire from './wire-shapes.ts';

const START = Date.parse('2026-03-01T00:00:00.000Z');
const HOUR = 3_600_000;
const iso = (hours: number): string => new Date(START + hours * HOUR).toISOString();

const causeAt = (at: string): Cause => ({
  at,
  correlationId: 'c',
  causationId: 'c',
  actor: { kind: 'system', id: 'system' },
});

describe('billing endpoints', () => {
  const store = memoryEventStore();
  const accounts = commandHandler(creditAccount, { store, logger: silentLogger, pause: () => Promise.resolve() });
  let now = START;
  let readSide: ReadSide;
  let http: HttpUnderTest;

  const handle = (userId: string, command: CreditCommand) => accounts.handle(userId, command, causeAt(command.data.at));
  const open = (userId: string, hours: number, grantDays = 180) => {
    const at = iso(hours);
    const grantExpiresAt = iso(hours + grantDays * 24);
    const data = { userId, signupGrant: 2_000_000n, grantExpiresAt, at };
    return handle(userId, { type: 'OpenAccount', key: 'account', data });
  };
  const reserve = (userId: string, id: string, estimate: bigint, hours: number, modelId = 'openai/gpt-5-mini') => {
    const data = {
      reservationId: id,
      work: { ...work, modelId },
      estimate,
      margin: 0n,
      leaseUntil: iso(hours + 1),
      at: iso(hours),
    };
    return handle(userId, { type: 'ReserveFunds', key: `reserve:${id}`, data });
  };
  const capture = (userId: string, id: string, result: Outcome, hours: number) =>
    handle(userId, {
      type: 'CaptureReservation',
      key: `capture:${id}`,
      data: { reservationId: id, outcome: result, at: iso(hours) },
    });
  const charge = async (userId: string, id: string, cost: bigint, hours: number, modelId?: string): Promise<void> => {
    await reserve(userId, id, cost, hours, modelId);
    await capture(userId, id, outcome(cost), hours + 0.5);
  };

  const get = async (path: string, as: 'ada' | 'grace' = 'ada') => {
    const response = await fetch(`${http.url}/api/billing${path}`, { headers: { authorization: `Bearer ${as}` } });
    return { status: response.status, body: await response.json() };
  };
  const ok = async (path: string, as?: 'ada' | 'grace'): Promise<unknown> => {
    const { status, body } = await get(path, as);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  };
  const dashboard = async (as?: 'ada' | 'grace') => wire.dashboard.parse(await ok('/dashboard', as));
  const history = async (query = '', as?: 'ada' | 'grace') =>
    wire.unifiedHistory.parse(await ok(`/credits/unified-history${query}`, as));
  const details = async (query = '', as?: 'ada' | 'grace') =>
    wire.creditDetails.parse(await ok(`/credits/details${query}`, as));
  const summary = async (start: string, end: string, as?: 'ada' | 'grace') =>
    wire.usageSummary.parse(
      await ok(`/usage-summary?start_date=${encodeURIComponent(start)}&end_date=${encodeURIComponent(end)}`, as),
    );

  before(async () => {
    const vault = { open: () => Promise.reject(new Error('nothing is sealed in an account')) };
    readSide = await startReadSide([balanceProjection, ledgerProjection, usageProjection, billingProfileProjection], {
      store,
      vault,
    });
    const modelName = (id: string) =>
      id === 'openai/gpt-5-mini' ? { name: 'GPT-5 mini', provider: 'openai' } : undefined;
    http = await startHttp([
      ...billingEndpoints({
        queries: readSide.queries,
        clock: () => new Date(now),
        modelName,
        feeTiers: () => usualPolicy.tiers,
      }),
      ...paymentsOff(),
    ]);
  });

  after(async () => {
    await http.close();
    await readSide.close();
  });

  describe('for a user without an account', () => {
    it('say zero everywhere, and write nothing', async () => {
      expect(await dashboard('grace')).to.deep.equal({
        creditBalanceUsd: 0,
        freeCreditBalanceUsd: 0,
        freeCreditsExpiresAt: null,
        servicesBlocked: true,
        isPaymentMethodRequired: true,
        isBillingInfoRequired: true,
        customerBillingInfo: null,
        usageLimitUsd: 0,
        currentUsage: 0,
      });
      const balance = wire.creditBalance.parse(await ok('/credits/balance', 'grace'));
      expect(balance).to.include({ balance: '0', freeCreditBalance: '0', updatedAt: null, freeCreditsExpired: false });
      expect(await history('', 'grace')).to.deep.equal({ entries: [], totalCount: 0, hasMore: false });
      const { stats, transactions } = await details('', 'grace');
      expect(stats).to.include({ netBalance: '0', totalConsumed: '0', transactionCount: 0 });
      expect(transactions).to.deep.equal([]);
      const { detailedUsage, summary: sums } = await summary(iso(0), iso(24), 'grace');
      expect(detailedUsage).to.deep.equal([]);
      expect(sums.totalCost).to.equal(0);
      expect(store.log().filter(({ stream }) => stream.includes(grace.userId))).to.deep.equal([]);
    });
  });

  describe('for a user with a signup grant', () => {
    before(async () => {
      await open(ada.userId, 0);
    });

    it('show the grant as the limit, and all of it free', async () => {
      expect(await dashboard()).to.include({
        creditBalanceUsd: 0,
        freeCreditBalanceUsd: 2,
        freeCreditsExpiresAt: '2026-08-28T00:00:00.000000Z',
        servicesBlocked: false,
        usageLimitUsd: 2,
        currentUsage: 0,
      });
      expect(wire.creditBalance.parse(await ok('/credits/balance'))).to.include({
        userId: ada.userId,
        freeCreditBalance: '2',
        freeCreditsGrantedAt: '2026-03-01T00:00:00.000000Z',
        freeCreditsExpired: false,
      });
    });

    it('take a hold from what is available, and show no row for it', async () => {
      await reserve(ada.userId, 'held', 500_000n, 1);
      expect(await dashboard()).to.include({ freeCreditBalanceUsd: 1.5, currentUsage: 0.5 });
      expect((await history()).totalCount).to.equal(0);
      expect((await details()).stats).to.include({ netBalance: '2', transactionCount: 1 });
    });

    it('let the sweeper find the hold once its lease is over, and not before', async () => {
      const found = await readSide.queries.asSystem(abandonedHolds(iso(2.01), 10));
      expect(found).to.deep.equal([
        { userId: ada.userId, reservationId: 'held', leaseUntil: '2026-03-01T02:00:00.000000Z' },
      ]);
      expect(await readSide.queries.asSystem(abandonedHolds(iso(2), 10))).to.deep.equal([]);
      expect(await readSide.queries.asSystem(abandonedHolds(iso(2.01), 0))).to.deep.equal([]);
    });

    it('charge what was really used, to the micro-dollar, with its tokens', async () => {
      const usage = {
        ...metered(12_345n).usage,
        inputUncached: 800,
        inputCachedRead: 300,
        inputCacheWrite: 100,
        outputVisible: 200,
        outputReasoning: 110,
      };
      await capture(ada.userId, 'held', { ...outcome(12_345n), metered: { ...metered(12_345n), usage } }, 1.5);
      const page = await history();
      expect(page.entries).to.have.length(1);
      expect(page.entries[0]).to.deep.include({
        price: -0.012345,
        date: '2026-03-01T01:30:00.000Z',
        model: 'openai/gpt-5-mini',
        inputTokens: 1200,
        outputTokens: 310,
        cacheWriteTokens: 100,
        cacheReadTokens: 300,
        balanceAfter: 1.987655,
        description: 'openai/gpt-5-mini API Usage',
        transactionType: 'usage',
      });
      expect(await dashboard()).to.include({ freeCreditBalanceUsd: 1.987655, currentUsage: 0.012345 });
      expect(await readSide.queries.asSystem(abandonedHolds(iso(100), 10))).to.deep.equal([]);
    });

    it('tell the ledger with exact decimals, its newest line first', async () => {
      const { stats, transactions, totalTransactionCount, hasMore } = await details();
      expect(stats).to.include({
        currentBalance: '0',
        totalConsumed: '-0.012345',
        netBalance: '1.987655',
        transactionCount: 2,
      });
      expect(
        transactions.map(({ transactionType, netAmount, balanceAfter }) => [transactionType, netAmount, balanceAfter]),
      ).to.deep.equal([
        ['consumption', '-0.012345', '1.987655'],
        ['signup_bonus', '2', '2'],
      ]);
      expect(transactions[0]).to.include({ relatedApiUsageId: 'held', stripeChargeId: null, grossAmount: null });
      expect([totalTransactionCount, hasMore]).to.deep.equal([2, false]);
    });

    it('show grants in the history only to whoever asks for all', async () => {
      const { entries } = await history('?include=all');
      expect(entries.map(({ transactionType }) => transactionType)).to.deep.equal(['usage', 'bonus']);
      expect((await get('/credits/unified-history?include=some')).status).to.equal(400);
    });
  });

  describe('in pages', () => {
    before(async () => {
      for (let index = 0; index < 7; index += 1) {
        await charge(
          ada.userId,
          `page-${index}`,
          BigInt(index + 1),
          10 + index,
          index === 3 ? 'x/100%_sure' : undefined,
        );
      }
    });

    it('count all and show some, newest first', async () => {
      const first = await history('?limit=3');
      expect(first.entries.map(({ price }) => Math.round(price * -1e6))).to.deep.equal([7, 6, 5]);
      expect([first.totalCount, first.hasMore]).to.deep.equal([8, true]);
      const last = await history('?limit=3&offset=6');
      expect(last.entries).to.have.length(2);
      expect([last.totalCount, last.hasMore]).to.deep.equal([8, false]);
      expect(await history('?offset=100')).to.deep.equal({ entries: [], totalCount: 8, hasMore: false });
      expect((await details('?limit=2&offset=1')).transactions.map(({ netAmount }) => netAmount)).to.deep.equal([
        '-0.000006',
        '-0.000005',
      ]);
    });

    it('search for the text itself, in any case, without wildcards', async () => {
      const found = async (search: string) => (await history(`?search=${encodeURIComponent(search)}`)).totalCount;
      expect(await found('100%_SURE')).to.equal(1);
      expect(await found('%')).to.equal(1);
      expect(await found('_')).to.equal(1);
      expect(await found('gpt-5')).to.equal(7);
      expect(await found(`' or 1=1 --`)).to.equal(0);
    });

    it('take more than a hundred as a hundred, and refuse what is no page', async () => {
      expect((await history('?limit=5000')).entries).to.have.length(8);
      for (const path of ['/credits/unified-history', '/credits/details']) {
        for (const query of [
          'limit=0',
          'limit=-1',
          'limit=x',
          'limit=1.5',
          'offset=-1',
          'offset=99999999999',
          'limit=1&limit=2',
        ]) {
          const { status, body } = await get(`${path}?${query}`);
          expect(status, query).to.equal(400);
          expect(body).to.include({ error_type: 'validation_error' });
        }
      }
      expect((await get('/credits/unified-history?search=%00')).status).to.equal(400);
    });
  });

  describe('about usage', () => {
    it('sum a range by model, the dearest first, with names from the catalogue', async () => {
      const { detailedUsage, summary: sums } = await summary(iso(0), iso(24));
      expect(
        detailedUsage.map(({ serviceName, modelDisplayName, providerCode }) => [
          serviceName,
          modelDisplayName,
          providerCode,
        ]),
      ).to.deep.equal([
        ['openai/gpt-5-mini', 'GPT-5 mini', 'openai'],
        ['x/100%_sure', 'x/100%_sure', 'unknown'],
      ]);
      expect(sums).to.deep.equal({
        totalCost: 0.012373,
        totalRequests: 8,
        totalInputTokens: 1207,
        totalOutputTokens: 317,
        totalCachedTokens: 400,
        totalDurationMs: 8000,
      });
    });

    it('include both ends of the range, whatever the zone is written as', async () => {
      const at = iso(10.5);
      expect((await summary(at, at)).summary.totalRequests).to.equal(1);
      const offset = at.replace('Z', '+00:00');
      expect((await summary(offset, offset)).summary.totalRequests).to.equal(1);
      const raw = await ok(`/usage-summary?start_date=${offset}&end_date=${offset}`);
      expect(wire.usageSummary.parse(raw).summary.totalRequests).to.equal(1);
      expect((await summary(iso(10.50001), iso(11.49999))).summary.totalRequests).to.equal(0);
      expect((await summary('0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999Z')).summary.totalRequests).to.equal(
        8,
      );
    });

    it('refuse a range that is none', async () => {
      for (const query of [
        '',
        '?start_date=2026-01-01',
        `?start_date=${iso(0)}`,
        `?start_date=${iso(1)}&end_date=${iso(0)}`,
      ]) {
        expect((await get(`/usage-summary${query}`)).status, query).to.equal(400);
      }
    });

    it('find the same by whole days as by single requests, in any range', async () => {
      const userId = grace.userId;
      await open(userId, 0);
      const hours = [1, 23.49, 23.5, 30, 47.5, 48, 49, 71.4, 72, 100];
      for (const [index, hour] of hours.entries())
        await charge(userId, `day-${index}`, BigInt(10 ** (index % 6)), hour);
      const ended = hours.map((hour, index) => ({ at: Date.parse(iso(hour + 0.5)), cost: BigInt(10 ** (index % 6)) }));
      const point = fc.oneof(
        fc.integer({ min: -10 * HOUR, max: 120 * HOUR }).map((offset) => START + offset),
        fc.constantFrom(...ended.flatMap(({ at }) => [at, at - 1, at + 1])),
        fc.integer({ min: -1, max: 6 }).map((days) => START + days * 24 * HOUR),
      );
      await fc.assert(
        fc.asyncProperty(point, point, async (a, b) => {
          const [start, end] = a < b ? [a, b] : [b, a];
          const inside = ended.filter(({ at }) => at >= start && at <= end);
          const models = await readSide.queries.asUser(userId, usageSummaryQuery(userId, start, end));
          expect(models.reduce((sum, { requests }) => sum + requests, 0)).to.equal(inside.length);
          expect(models.reduce((sum, { charged }) => sum + charged, 0n)).to.equal(
            inside.reduce((sum, { cost }) => sum + cost, 0n),
          );
        }),
        { numRuns: 150 },
      );
    });
  });

  // Mocha runs a suite's own tests before those of the suites inside it; this one moves the clock.
  describe('for two users, and long after', () => {
    it('show each user their own only', async () => {
      expect((await history('?include=all', 'grace')).entries.every(({ model }) => model !== 'x/100%_sure')).to.equal(
        true,
      );
      const foreign = await readSide.queries.asUser(
        grace.userId,
        usageSummaryQuery(ada.userId, START, START + 24 * HOUR),
      );
      expect(foreign).to.deep.equal([]);
    });

    it('do not count free credit whose time is over, whether it is swept yet or not', async () => {
      now = START + 181 * 24 * HOUR;
      const expired = {
        freeCreditBalanceUsd: 0,
        freeCreditsExpiresAt: '2026-08-28T00:00:00.000000Z',
        servicesBlocked: true,
        currentUsage: 2,
      };
      expect(await dashboard()).to.include(expired);
      expect(wire.creditBalance.parse(await ok('/credits/balance'))).to.include({
        freeCreditBalance: '0',
        freeCreditsExpired: true,
      });
      await handle(ada.userId, { type: 'ExpirePromo', key: 'expire', data: { at: iso(181 * 24) } });
      expect(await dashboard()).to.include(expired);
      const { entries } = await history('?include=all&limit=1');
      expect(entries[0]).to.include({ transactionType: 'expiry', price: -1.987627, balanceAfter: 0 });
      expect((await details('?limit=1')).stats.netBalance).to.equal('0');
    });
  });

  it('list what buying credits costs', async () => {
    const { tiers } = wire.feeTiers.parse(await ok('/credits/purchase-fee-tiers'));
    expect(tiers).to.deep.equal([
      { min: '3', max: '12', feeRate: '0.2', label: 'STARTER' },
      { min: '12', max: '99', feeRate: '0.1', label: 'SAVER' },
      { min: '99', max: null, feeRate: '0.05', label: 'BULK' },
    ]);
  });

  describe('without payments', () => {
    it('know that nothing was paid', async () => {
      expect(wire.autoTopOff.parse(await ok('/auto-top-off-settings'))).to.deep.equal({
        enabled: false,
        threshold: null,
        amount: null,
      });
      wire.paymentMethods.parse(await ok('/payment-methods?limit=10'));
      wire.invoices.parse(await ok('/invoices?limit=10'));
    });

    for (const [method, path] of [
      ['POST', '/auto-top-off-settings'],
      ['POST', '/create-portal-session'],
      ['GET', '/stripe/publishable-key'],
      ['POST', '/checkout/custom-credit-session'],
      ['POST', '/checkout/setup-session'],
      ['GET', '/checkout/session-status/cs_1'],
    ] as const) {
      it(`say so on ${method} ${path}`, async () => {
        const response = await fetch(`${http.url}/api/billing${path}`, {
          method,
          headers: { authorization: 'Bearer ada', 'content-type': 'application/json' },
          ...(method === 'POST' ? { body: '{"amount":20}' } : {}),
        });
        expect(response.status).to.equal(503);
        const body = (await response.json()) as { message: string };
        expect(body).to.include({ code: 503, error_type: 'configuration_error' });
        expect(body.message).to.contain('payments are not set up');
      });
    }
  });
});
