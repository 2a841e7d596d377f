import { expect } from 'chai';
import { consentService } from '../../commands/consent/consents.ts';
import { consentAggregate, consentDocumentsAggregate } from '../../commands/consent/index.ts';
import { firstDocuments } from '../../commands/consent/first-documents.ts';
import type { Device } from '../../commands/devices/devices.state.ts';
import { sqliteVault } from '../../infra/vault/sqlite-vault.ts';
import { consentProjection } from '../../projections/consent/consent.projection.ts';
import { usersProjection } from '../../projections/users/users.projection.ts';
import type { Caller } from '../../src/http/endpoint.ts';
import { consentEndpoints } from '../../src/http/routes/consent/index.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { startReadSide, type ReadSide } from '../billing/read-side.ts';
import { identityRig, ada as adaProfile } from '../identity/rig.ts';
import { ada, grace, startHttp, type HttpUnderTest } from '../support/given-http.ts';

const PHONE = '3b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';

describe('consent over HTTP', function () {
  this.timeout(60_000);
  const vault = sqliteVault({ masterKey: '07'.repeat(32), path: ':memory:' });
  const rig = identityRig(undefined, vault);
  const { store } = rig;
  const deps = { store, logger: silentLogger, pause: () => Promise.resolve() };
  const consents = consentService({
    consents: commandHandler(consentAggregate, deps),
    documents: commandHandler(consentDocumentsAggregate, deps),
    vault,
  });
  let now = new Date('2026-03-01T12:00:00.000Z');
  let people: Readonly<Record<string, Caller>>;
  let readSide: ReadSide;
  let http: HttpUnderTest;

  const seed = () =>
    consents.seed(firstDocuments, {
      at: now.toISOString(),
      correlationId: 'c',
      causationId: 'c',
      actor: { kind: 'system', id: 'system' },
    });

  before(async () => {
    const users = await Promise.all(
      ['ada', 'bob', 'cy', 'dot'].map((name) =>
        rig.logIn({ ...adaProfile, subject: `auth0|${name}`, email: `${name}@example.test` }),
      ),
    );
    const [adaUser, bobUser] = users;
    people = {
      ada: { ...ada, userId: adaUser?.userId ?? '', deviceId: PHONE },
      bob: { ...ada, userId: bobUser?.userId ?? '' },
      grace: { ...grace },
    };
    await seed();
    readSide = await startReadSide([consentProjection, usersProjection], { store, vault });
    const device = (): Promise<Device> =>
      Promise.resolve({ status: 'registered', userId: people['ada']?.userId, kind: 'mobile' } as Device);
    http = await startHttp(consentEndpoints({ consents, device, queries: readSide.queries }), {
      clock: () => now,
      hashAddress: () => 'keyed hash of the address',
      authenticator: ({ authorization }) => {
        const caller = people[authorization?.replace('Bearer ', '') ?? ''];
        return caller === undefined ? Promise.reject(new Error('nobody')) : Promise.resolve(caller);
      },
    });
  });

  after(async () => {
    await http.close();
    await readSide.close();
  });

  const call = async (who: string, method: string, path: string, body?: unknown) => {
    const response = await fetch(`${http.url}/api/consent/${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${who}`,
        'User-Agent': 'PlanToCode/1.2 (my phone)',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? (JSON.parse(text) as never) : undefined,
    };
  };
  const said = (prefix: string) => store.log().filter(({ stream }) => stream.startsWith(prefix));
  const status = async (who: string, region = 'eu') =>
    (await call(who, 'GET', `status?region=${region}`)).body as unknown as {
      allConsented: boolean;
      items: readonly Readonly<Record<string, unknown>>[];
    };

  it('shows the documents of a region by type', async () => {
    const { status: code, body } = await call('bob', 'GET', 'documents/current?region=EU');
    expect(code).to.equal(200);
    const documents = body as unknown as Readonly<Record<string, unknown>>[];
    expect(documents.map(({ docType }) => docType)).to.deep.equal(['privacy', 'terms']);
    expect(documents[1]).to.include({
      docType: 'terms',
      region: 'eu',
      version: '2025-08-12',
      effectiveAt: '2025-08-12',
      url: '/legal/eu/terms',
      materialChange: false,
    });
    expect(documents[1]).to.have.keys(
      ...['id', 'docType', 'region', 'version', 'effectiveAt', 'url', 'contentHash', 'materialChange'],
      ...['createdAt', 'updatedAt'],
    );
    expect(documents[1]?.['createdAt']).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  it('has the build’s documents once, however often a server starts', async () => {
    await seed();
    expect(said('consentDocuments-')).to.have.length(4);
  });

  it('takes the desktop’s spelling and the phone’s, in any case, and says nothing new to the same word', async () => {
    expect((await status('ada')).allConsented).to.equal(false);
    expect((await call('ada', 'POST', 'accept', { doc_type: 'terms', region: 'eu' })).status).to.equal(204);
    expect((await call('ada', 'POST', 'accept', { docType: 'Terms', region: 'EU' })).status).to.equal(204);
    expect(
      (await call('ada', 'POST', 'accept', { docType: 'privacy', region: 'eu', metadata: { app: 'x' } })).status,
    ).to.equal(204);
    expect(said(`consent-${people['ada']?.userId}`).map(({ type }) => type)).to.deep.equal([
      'ConsentAccepted',
      'ConsentAccepted',
    ]);
    const { allConsented, items } = await status('ada');
    expect(allConsented).to.equal(true);
    expect(items[1]).to.include({
      docType: 'terms',
      region: 'eu',
      currentVersion: '2025-08-12',
      acceptedVersion: '2025-08-12',
      requiresReconsent: false,
      effectiveAt: '2025-08-12',
      url: '/legal/eu/terms',
    });
    expect(items[1]?.['acceptedAt']).to.equal('2026-03-01T12:00:00.000000Z');
  });

  it('keeps no address and no client’s words readable', () => {
    const [event] = said(`consent-${people['ada']?.userId}`);
    expect(event?.metadata.ipHash).to.equal('keyed hash of the address');
    expect(event?.data).to.include({ source: 'mobile', version: '2025-08-12' });
    expect(JSON.stringify(said('consent-').map(({ data }) => data))).to.not.include('PlanToCode/1.2');
  });

  it('counts for the region that it was given in alone', async () => {
    const { allConsented, items } = await status('ada', 'us');
    expect(allConsented).to.equal(false);
    expect(items.map(({ acceptedVersion }) => acceptedVersion)).to.deep.equal([null, null]);
  });

  it('tells what is missing', async () => {
    await call('bob', 'POST', 'accept', { doc_type: 'privacy', region: 'eu' });
    const { body } = await call('bob', 'GET', 'verify?region=eu');
    expect(body).to.include({ requiresReconsent: true });
    expect((body as unknown as { missing: unknown }).missing).to.deep.equal(['terms']);
    expect((await call('ada', 'GET', 'verify?region=eu')).body).to.deep.include({
      requiresReconsent: false,
      missing: [],
    });
  });

  it('can be taken back', async () => {
    expect((await call('bob', 'POST', 'withdraw', { docType: 'privacy', region: 'eu' })).status).to.equal(204);
    expect((await call('bob', 'POST', 'withdraw', { docType: 'privacy', region: 'eu' })).status).to.equal(204);
    expect(said(`consent-${people['bob']?.userId}`).map(({ type }) => type)).to.deep.equal([
      'ConsentAccepted',
      'ConsentWithdrawn',
    ]);
    const { items } = await status('bob');
    expect(items[0]).to.include({
      docType: 'privacy',
      acceptedVersion: null,
      acceptedAt: null,
      requiresReconsent: true,
    });
  });

  it('refuses what is no region and no document', async () => {
    const wrong = [
      await call('ada', 'GET', 'status?region=mars'),
      await call('ada', 'GET', 'status'),
      await call('ada', 'GET', 'verify?region='),
      await call('ada', 'GET', 'documents/current?region=de'),
      await call('ada', 'POST', 'accept', { doc_type: 'cookies', region: 'eu' }),
      await call('ada', 'POST', 'accept', { doc_type: 'terms' }),
      await call('ada', 'POST', 'withdraw', { region: 'eu' }),
      await call('grace', 'GET', 'admin/report?format=xml'),
      await call('grace', 'GET', 'admin/report?region=mars'),
      await call('grace', 'GET', 'admin/report?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z'),
    ];
    for (const { status: code, body, text } of wrong) {
      expect(code, text).to.equal(400);
      expect(body).to.include({ error_type: 'bad_request' });
    }
    expect((await call('grace', 'GET', 'admin/report?from=yesterday')).status).to.equal(400);
  });

  it('answers 404 where there is no document yet', async () => {
    const today = now;
    now = new Date('2025-08-11T23:59:59.000Z');
    expect((await call('bob', 'GET', 'documents/current?region=eu')).body).to.deep.equal([]);
    expect((await status('bob')).allConsented).to.equal(true);
    for (const verb of ['accept', 'withdraw']) {
      const { status: code, body } = await call('bob', 'POST', verb, { doc_type: 'terms', region: 'eu' });
      expect(code).to.equal(404);
      expect(body).to.include({ error_type: 'not_found' });
    }
    now = today;
  });

  it('reports to administrators alone', async () => {
    for (const path of ['admin/report', 'admin/documents']) {
      expect((await call('ada', 'GET', path)).status).to.equal(403);
    }
  });

  it('reports in JSON, and each filter alone and together', async () => {
    now = new Date('2026-03-05T12:00:00.000Z');
    await call('bob', 'POST', 'accept', { doc_type: 'terms', region: 'eu' });
    const report = async (query: string) =>
      (await call('grace', 'GET', `admin/report?${query}`)).body as unknown as readonly Readonly<
        Record<string, unknown>
      >[];
    const line = { doc_type: 'terms', region: 'eu', version: '2025-08-12', total_count: 4 };
    expect((await report('')).length).to.equal(4);
    expect(await report('region=eu&doc_type=terms')).to.deep.equal([
      { ...line, accepted_count: 2, acceptance_rate: '50.00' },
    ]);
    expect((await report('doc_type=terms')).map(({ region }) => region)).to.deep.equal(['eu', 'us']);
    expect((await report('region=us')).map(({ accepted_count }) => accepted_count)).to.deep.equal([0, 0]);
    const of = 'region=eu&docType=terms';
    expect((await report(`${of}&from=2026-03-02T00:00:00Z`))[0]).to.include({
      accepted_count: 1,
      acceptance_rate: '25.00',
    });
    expect((await report(`${of}&to=2026-03-02T00:00:00%2B00:00`))[0]).to.include({ accepted_count: 1, total_count: 4 });
    expect((await report(`${of}&to=2020-01-01T00:00:00Z`))[0]).to.deep.equal({
      ...line,
      accepted_count: 0,
      total_count: 0,
    });
    // Taken back is not agreed.
    expect((await report('region=eu&doc_type=privacy'))[0]).to.include({ accepted_count: 1 });
  });

  it('reports in CSV, the rate as in JSON', async () => {
    const { headers, text } = await call('grace', 'GET', 'admin/report?region=eu&doc_type=terms&format=csv');
    expect(headers.get('content-type')).to.match(/^text\/csv/);
    expect(headers.get('content-disposition')).to.match(/^attachment/);
    expect(text.split('\r\n')).to.deep.equal([
      'doc_type,region,version,accepted_count,total_count,acceptance_rate',
      'terms,eu,2025-08-12,2,4,50.00',
      '',
    ]);
  });

  it('asks again once a new version is in force, and not before', async () => {
    const next = {
      docType: 'terms',
      region: 'eu',
      version: '2026-04',
      effectiveAt: '2026-04-01',
      url: 'https://example.test/terms',
      contentHash: 'c'.repeat(64),
    };
    expect((await call('ada', 'POST', 'admin/documents', next)).status).to.equal(403);
    const made = await call('grace', 'POST', 'admin/documents', next);
    expect(made.status, made.text).to.equal(201);
    expect(made.body).to.include({ ...next, materialChange: false });
    expect((await call('grace', 'POST', 'admin/documents', next)).status).to.equal(201);
    expect((await call('grace', 'POST', 'admin/documents', { ...next, url: '/other' })).status).to.equal(409);
    expect((await call('grace', 'POST', 'admin/documents', { ...next, url: '//evil.test' })).status).to.equal(400);
    expect((await status('ada')).allConsented).to.equal(true);
    expect((await call('grace', 'GET', 'admin/documents')).body).to.have.length(5);
    now = new Date('2026-04-01T00:00:00.000Z');
    const { allConsented, items } = await status('ada');
    expect(allConsented).to.equal(false);
    expect(items[1]).to.include({ currentVersion: '2026-04', acceptedVersion: '2025-08-12', requiresReconsent: true });
    await call('ada', 'POST', 'accept', { docType: 'terms', region: 'eu' });
    expect((await status('ada')).allConsented).to.equal(true);
  });

  it('is read from rows that a rebuild makes again', async () => {
    const again = await startReadSide([consentProjection, usersProjection], { store, vault });
    const { consentState } = await import('../../queries/consent/consent-state.query.ts');
    const userId = people['ada']?.userId ?? '';
    const rows = await Promise.all(
      [readSide, again].map(({ queries }) => queries.asUser(userId, consentState(userId, 'eu'))),
    );
    expect(rows[0]).to.have.length(2);
    expect(rows[1]).to.have.deep.members([...(rows[0] ?? [])]);
    await again.close();
  });
});
