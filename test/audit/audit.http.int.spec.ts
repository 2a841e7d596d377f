import { expect } from 'chai';
import { inclusionProof, newestSeal, proofFaults, type InclusionProof } from '../../src/finance/inclusion-proof.ts';
import { auditEndpoints } from '../../src/http/routes/audit/index.ts';
import { startHttp, type HttpUnderTest } from '../support/given-http.ts';
import { givenLog, type GivenLog } from './given-log.ts';

describe('the endpoints for auditors', () => {
  let log: GivenLog;
  let http: HttpUnderTest;

  beforeEach(async () => {
    log = givenLog();
    const { store } = log;
    http = await startHttp(
      auditEndpoints({
        newestSeal: () => newestSeal(store),
        proof: (stream, revision) => inclusionProof(store, stream, revision),
        proofsOf: (day) => Promise.resolve([{ asked: day.toISOString() }]),
      }),
    );
  });
  afterEach(() => http.close());

  const ask = async (path: string, who = 'grace') => {
    const response = await fetch(`${http.url}/api/admin/audit${path}`, { headers: { authorization: `Bearer ${who}` } });
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
  };

  it('give the newest seal, once there is one', async () => {
    expect((await ask('/seals/latest')).status).to.equal(404);
    await log.writeMany(3);
    log.passes(60_000);
    await log.seal();
    expect(await ask('/seals/latest')).to.deep.equal({ status: 200, body: await newestSeal(log.store) });
  });

  it('give a proof that holds', async () => {
    await log.writeMany(3);
    log.passes(60_000);
    await log.seal();
    const { status, body } = await ask('/proofs/user-ada/2');
    expect([status, proofFaults(body as InclusionProof)]).to.deep.equal([200, []]);
  });

  it('give what the proofs of a day came to', async () => {
    const body = { day: '2026-11-23', runs: [{ asked: '2026-11-23T00:00:00.000Z' }] };
    expect(await ask('/reconciliations/2026-11-23')).to.deep.equal({ status: 200, body });
  });

  it('tell what is wrong with what was asked', async () => {
    await log.writeMany(1);
    const told = async (path: string, who?: string) => {
      const { status, body } = await ask(path, who);
      return [status, body['error_type']];
    };
    expect(await told('/proofs/user-ada/0')).to.deep.equal([404, 'not_found']);
    expect(await told('/proofs/user-ada/1')).to.deep.equal([404, 'not_found']);
    expect(await told('/proofs/auditAnchor-log/0')).to.deep.equal([400, 'invalid_argument']);
    expect(await told('/proofs/user-ada/first')).to.deep.equal([404, 'not_found']);
    expect(await told('/proofs/user-ada/-1')).to.deep.equal([404, 'not_found']);
    expect(await told('/proofs/user-ada/9999999999999999999')).to.deep.equal([404, 'not_found']);
    expect(await told('/proofs/$all/0')).to.deep.equal([404, 'not_found']);
    expect(await told('/reconciliations/2026-02-31')).to.deep.equal([404, 'not_found']);
    expect(await told('/proofs/user-ada/0', 'ada')).to.deep.equal([403, 'forbidden']);
    expect(await told('/seals/latest', 'nobody')).to.deep.equal([401, 'authentication_error']);
  });
});
