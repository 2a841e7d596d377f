import { expect } from 'chai';
import { creditAccount } from '../../commands/credits/index.ts';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import { adjustmentsProjection } from '../../projections/adjustments/adjustments.projection.ts';
import { balanceProjection } from '../../projections/balance/balance.projection.ts';
import { billingProfileProjection } from '../../projections/billing-profile/billing-profile.projection.ts';
import { journalProjection } from '../../projections/journal/journal.projection.ts';
import { ledgerProjection } from '../../projections/ledger/ledger.projection.ts';
import { spendingLimitsProjection } from '../../projections/spending-limits/spending-limits.projection.ts';
import { usageProjection } from '../../projections/usage/usage.projection.ts';
import { disagreements } from '../../queries/finance/reconciliation.query.ts';
import { usersWithUnclosedBooks } from '../../queries/billing/unclosed-books.query.ts';
import { creditAccountEndpoints } from '../../src/http/routes/billing/accounts.ts';
import { billingEndpoints } from '../../src/http/routes/billing/index.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { clawBack, outcome, purchase, reserve } from '../credits/fixtures.ts';
import { ada, grace, startHttp, type HttpUnderTest } from '../support/given-http.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { usualPolicy } from '../support/usual-policy.ts';
import { startReadSide, type ReadSide } from './read-side.ts';
import * as wire from './wire-shapes.ts';

const ACCOUNTS = '/api/billing/credits/admin';
const hopper = { ...grace, userId: uuidOf('hopper') };

/** The endpoints' time is the real one: what they decide is decided now. */
const now = () => new Date().toISOString();

describe('accounts over HTTP', () => {
  const store = memoryEventStore();
  const accounts = commandHandler(creditAccount, { store, logger: silentLogger, pause: () => Promise.resolve() });
  const seal = (_subject: string, _context: string, value: unknown) =>
    Promise.resolve({ k: 'k', iv: 'iv', ct: Buffer.from(JSON.stringify(value)).toString('base64'), tag: 'tag' });
  const vault = {
    seal,
    open: (_context: string, sealed: { ct: string }) =>
      Promise.resolve(JSON.parse(Buffer.from(sealed.ct, 'base64').toString()) as unknown),
    digest: (_subject: string, value: unknown) => Promise.resolve(uuidOf(JSON.stringify(value))),
  };
  let readSide: ReadSide;
  let http: HttpUnderTest;

  const handle = (command: CreditCommand) =>
    accounts.handle(ada.userId, { ...command, data: { ...command.data, at: now() } } as CreditCommand, {
      at: now(),
      correlationId: 'c',
      causationId: 'c',
      actor: { kind: 'system', id: 'system' },
    });

  type Ask = Readonly<{ as?: 'ada' | 'grace' | 'hopper'; body?: unknown; key?: string }>;
  const ask = async (method: 'GET' | 'POST' | 'PUT', path: string, { as = 'grace', body, key }: Ask = {}) => {
    const response = await fetch(`${http.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${as}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
  };
  const adjusting = (amount: string | number, key?: string, as: Ask['as'] = 'grace') =>
    ask('POST', `${ACCOUNTS}/adjust`, {
      as,
      body: { user_id: ada.userId, amount, transaction_type: 'adjustment', description: 'a mistake of ours' },
      ...(key === undefined ? {} : { key }),
    });
  const balance = async () =>
    wire.creditBalance.parse((await ask('GET', '/api/billing/credits/balance', { as: 'ada' })).body);

  before(async () => {
    readSide = await startReadSide(
      [
        balanceProjection,
        billingProfileProjection,
        ledgerProjection,
        usageProjection,
        adjustmentsProjection,
        spendingLimitsProjection,
        journalProjection,
      ],
      { store, vault },
    );
    const clock = () => new Date();
    const deps = { queries: readSide.queries, clock };
    http = await startHttp(
      [
        ...creditAccountEndpoints({ ...deps, accounts, vault }),
        ...billingEndpoints({ ...deps, modelName: () => undefined, feeTiers: () => usualPolicy.tiers }),
      ],
      {
        authenticator: ({ authorization }) =>
          Promise.resolve(
            { 'Bearer ada': ada, 'Bearer grace': grace, 'Bearer hopper': hopper }[authorization ?? ''] ?? ada,
          ),
      },
    );
    const data = { userId: ada.userId, signupGrant: 2_000_000n, grantExpiresAt: '2100-01-01T00:00:00.000Z', at: now() };
    await handle({ type: 'OpenAccount', key: 'account', data });
  });

  after(async () => {
    await http.close();
    await readSide.close();
  });

  afterEach('the read models agree with each other', async () => {
    expect(await readSide.queries.asSystem(disagreements(10))).to.deep.equal([]);
  });

  describe('POST /credits/admin/adjust', () => {
    it('changes the paid balance and says so as the contract does', async () => {
      const given = await adjusting('12.50');
      expect(given.status).to.equal(200);
      expect(wire.adjusted.parse(given.body)).to.include({ newBalance: '12.5' });
      expect(wire.adjusted.parse((await adjusting('-1.50')).body).adjustment).to.include({
        amount: '-1.50',
        userId: ada.userId,
      });
      expect(await balance()).to.include({ balance: '11', freeCreditBalance: '2' });
    });

    it('happens once for an Idempotency-Key, and is refused with another content', async () => {
      for (let n = 0; n < 3; n += 1) expect((await adjusting(1, 'key-1')).body['newBalance']).to.equal('12');
      const other = await adjusting(2, 'key-1');
      expect(other.status).to.equal(409);
      expect(other.body['error_type']).to.equal('already_exists');
    });

    it('does not take what is not there', async () => {
      const { status, body } = await adjusting('-12.000001');
      expect(status).to.equal(400);
      expect(body['error_type']).to.equal('invalid_argument');
      expect((await balance()).balance).to.equal('12');
    });

    it('is for administrators, and for users that are there', async () => {
      expect((await adjusting('1', undefined, 'ada')).status).to.equal(403);
      const nobody = { user_id: uuidOf('nobody'), amount: '1', transaction_type: 'adjustment', description: 'x' };
      expect((await ask('POST', `${ACCOUNTS}/adjust`, { body: nobody })).status).to.equal(404);
    });

    it('reads numbers exactly and refuses what is no amount', async () => {
      for (const amount of ['1.0000001', 'a lot', '1e3', ''])
        expect((await adjusting(amount)).status, amount).to.equal(400);
      expect((await adjusting(0.1)).body['newBalance']).to.equal('12.1');
      expect((await adjusting(-0.1)).body['newBalance']).to.equal('12');
    });

    it('needs a key and a second administrator above 100 USD', async () => {
      expect((await adjusting('150')).status).to.equal(400);
      const asked = await adjusting('150', 'key-2');
      expect(asked.status).to.equal(202);
      const { adjustment } = wire.adjustmentWaits.parse(asked.body);
      expect((await adjusting('150', 'key-2')).status).to.equal(202);
      const approve = (as: Ask['as']) =>
        ask('POST', `${ACCOUNTS}/adjustments/${adjustment.adjustmentId}/approve`, {
          ...(as === undefined ? {} : { as }),
          body: { user_id: ada.userId },
        });
      expect((await ask('GET', `${ACCOUNTS}/adjustments?status=waiting`)).body).to.deep.include({ totalCount: 1 });
      expect((await approve('grace')).status).to.equal(403);
      expect((await balance()).balance).to.equal('12');
      expect((await approve('hopper')).body).to.include({ success: true, newBalance: '162' });
      expect((await approve('hopper')).body).to.include({ newBalance: '162' });
      const { body } = await ask('GET', `${ACCOUNTS}/adjustments?status=done&limit=1`);
      const [entry] = body['adjustments'] as readonly Readonly<Record<string, unknown>>[];
      expect(entry).to.include({
        amount: '150',
        note: 'a mistake of ours',
        requestedBy: grace.userId,
        decidedBy: hopper.userId,
      });
    });
  });

  describe('blocks, grants and write-offs', () => {
    it('block spending on the dashboard until they are lifted', async () => {
      const body = { user_id: ada.userId, reason: 'fraud', ref: 'case-1' };
      const blocked = await ask('POST', `${ACCOUNTS}/block`, { body });
      expect(blocked.body['blocks']).to.deep.equal([{ reason: 'fraud', ref: 'case-1' }]);
      const dashboard = async () =>
        wire.dashboard.parse((await ask('GET', '/api/billing/dashboard', { as: 'ada' })).body);
      expect((await dashboard()).servicesBlocked).to.equal(true);
      await ask('POST', `${ACCOUNTS}/unblock`, { body });
      expect((await dashboard()).servicesBlocked).to.equal(false);
    });

    it('give free credit once for a key', async () => {
      const body = { user_id: ada.userId, amount: '3', expires_in_days: 30 };
      for (let n = 0; n < 2; n += 1) {
        const { body: standing } = await ask('POST', `${ACCOUNTS}/grant`, { body, key: 'grant-1' });
        expect(standing).to.include({ promoUsd: '5', paidUsd: '162' });
      }
    });

    it('give up what a dispute has left owed', async () => {
      await handle(purchase('p1', 1000));
      await handle({ ...reserve('r1', 176_000_000n), key: 'reserve:r1' });
      await handle({
        type: 'CaptureReservation',
        key: 'capture:r1',
        data: { reservationId: 'r1', outcome: outcome(175_000_000n), at: now() },
      });
      await handle(clawBack('dp_1', 'p1', 9_000_000n, 1, 'dispute'));
      const { body } = await ask('POST', `${ACCOUNTS}/write-off`, {
        body: { user_id: ada.userId, reason: 'goodwill' },
      });
      expect(body).to.include({ shortfallUsd: '0', paidUsd: '0', promoUsd: '0' });
    });
  });

  describe('the ledger and the history', () => {
    it('hold every kind of line, in the words of the contract', async () => {
      const details = wire.creditDetails.parse(
        (await ask('GET', '/api/billing/credits/details?limit=100', { as: 'ada' })).body,
      );
      const kinds = new Set(details.transactions.map(({ transactionType }) => transactionType));
      expect([...kinds].sort()).to.deep.equal(['adjustment', 'consumption', 'purchase', 'refund', 'signup_bonus']);
      expect(details.stats).to.include({
        totalPurchased: '9',
        totalRefunded: '9',
        currentBalance: '0',
        netBalance: '0',
      });
      const bought = details.transactions.find(({ transactionType }) => transactionType === 'purchase');
      expect(bought).to.include({ netAmount: '9', grossAmount: '10', feeAmount: '1', stripeChargeId: 'ch_p1' });
    });

    it('show usage and purchases, and everything to whoever asks', async () => {
      const history = async (query = '') =>
        wire.unifiedHistory
          .parse((await ask('GET', `/api/billing/credits/unified-history?limit=100${query}`, { as: 'ada' })).body)
          .entries.map(({ transactionType }) => transactionType);
      expect(new Set(await history())).to.deep.equal(new Set(['usage', 'purchase']));
      expect(new Set(await history('&include=all'))).to.deep.equal(
        new Set(['usage', 'purchase', 'bonus', 'refund', 'adjustment']),
      );
    });
  });

  describe('spending limits', () => {
    const PATH = '/api/billing/spending-limits';
    const body = { day: { softUsd: '1', hardUsd: 2.5 }, month: { hardUsd: '20' }, lowBalanceUsd: '0.5' };

    it('are the user’s own, beside those that administrators impose', async () => {
      const own = await ask('PUT', PATH, { as: 'ada', body });
      expect(own.status, JSON.stringify(own.body)).to.equal(200);
      const imposed = { day: { hardUsd: '1.5' } };
      expect((await ask('PUT', `${PATH}/admin/${ada.userId}`, { body: imposed })).status).to.equal(200);
      const shown = await ask('GET', PATH, { as: 'ada' });
      expect(shown.body).to.deep.include({
        limits: {
          day: { softUsd: '1', hardUsd: '2.5' },
          month: { softUsd: null, hardUsd: '20' },
          lowBalanceUsd: '0.5',
        },
        imposed: {
          day: { softUsd: null, hardUsd: '1.5' },
          month: { softUsd: null, hardUsd: null },
          lowBalanceUsd: null,
        },
        spent: { todayUsd: '175', thisMonthUsd: '175' },
      });
    });

    it('are not lifted by users where administrators impose them, nor by a misspelt member', async () => {
      expect((await ask('PUT', `${PATH}/admin/${ada.userId}`, { as: 'ada', body })).status).to.equal(403);
      expect((await ask('PUT', PATH, { as: 'ada', body: { day: { hard: '1' } } })).status).to.equal(400);
      expect((await ask('PUT', PATH, { as: 'ada', body: { day: { hardUsd: '-1' } } })).status).to.equal(400);
    });
  });

  describe('GET /usage/providers', () => {
    it('shows administrators what requests used', async () => {
      const { body } = await ask('GET', `/api/billing/usage/providers?limit=5&user_id=${ada.userId}`);
      const usage = wire.providerUsage.parse(body);
      expect(usage.records[0]).to.include({ requestId: 'r1', cost: '175', serviceName: 'sandbox/echo' });
      expect(usage).to.include({ totalRecords: 1, queryLimit: 5 });
      const none = await ask('GET', '/api/billing/usage/providers?service_name=nothing');
      expect(wire.providerUsage.parse(none.body).records).to.deep.equal([]);
      expect((await ask('GET', '/api/billing/usage/providers', { as: 'ada' })).status).to.equal(403);
    });
  });

  it('find the accounts whose books are not closed once the month is over', async () => {
    const ask = (at: Date) => readSide.queries.asSystem(usersWithUnclosedBooks(at, 10));
    expect(await ask(new Date())).to.deep.equal([]);
    expect(await ask(new Date(Date.now() + 40 * 86_400_000))).to.deep.equal([ada.userId]);
  });
});
