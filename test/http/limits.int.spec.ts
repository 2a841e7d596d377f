import { expect } from 'chai';
import { memoryLimiter } from '../../infra/ephemeral/memory-limiter.ts';
import { json, publicEndpoint, userEndpoint } from '../../src/http/endpoint.ts';
import { defaultLimits } from '../../src/http/limits.ts';
import { StoreUnavailableError } from '../../src/kernel/event-store.ts';
import { startHttp } from '../support/given-http.ts';
import type { HttpUnderTest } from '../support/given-http.ts';

const ok = () => Promise.resolve(json(200, {}));
const endpoints = [
  publicEndpoint({ method: 'GET', path: '/health', limit: 'health', handle: ok }),
  publicEndpoint({ method: 'GET', path: '/config/regions', limit: 'public', handle: ok }),
  userEndpoint({ method: 'GET', path: '/api/things', limit: 'read', handle: ok }),
  userEndpoint({ method: 'POST', path: '/api/things', limit: 'write', handle: ok }),
];

const limits = {
  ...defaultLimits,
  public: { perIp: 3, windowSeconds: 60 },
  read: { perIp: 5, perUser: 2, windowSeconds: 60 },
  authFailures: { perIp: 3, windowSeconds: 60 },
};

describe('rate limits', () => {
  let under: HttpUnderTest;
  beforeEach(async () => {
    under = await startHttp(endpoints, { limits, trustedProxies: 1 });
  });
  afterEach(() => under.close());

  const get = (path: string, from = '203.0.113.1', who?: string) =>
    fetch(under.url + path, {
      headers: { 'X-Forwarded-For': from, ...(who === undefined ? {} : { Authorization: `Bearer ${who}` }) },
    });
  const times = async (count: number, request: () => Promise<Response>): Promise<readonly number[]> => {
    const seen: number[] = [];
    for (let n = 0; n < count; n += 1) seen.push((await request()).status);
    return seen;
  };

  it('tells where a caller stands, on every limited answer', async () => {
    const first = await get('/config/regions');
    expect(first.headers.get('ratelimit-limit')).to.equal('3');
    expect(first.headers.get('ratelimit-remaining')).to.equal('2');
    expect(Number(first.headers.get('ratelimit-reset'))).to.be.within(1, 60);
    expect((await get('/config/regions')).headers.get('ratelimit-remaining')).to.equal('1');
  });

  it('refuses the call after the last with Retry-After and the envelope', async () => {
    expect(await times(3, () => get('/config/regions'))).to.deep.equal([200, 200, 200]);
    const refused = await get('/config/regions');
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
    expect(refused.headers.get('ratelimit-remaining')).to.equal('0');
    const body = (await refused.json()) as Record<string, unknown>;
    expect(body).to.include({ code: 429, error_type: 'rate_limit_error', errorType: 'rate_limit_error' });
    expect(body['message']).to.match(/^Too many requests: .*wait \d+ s/);
  });

  it('keeps a bucket of its own for each scope and each address', async () => {
    await times(4, () => get('/config/regions'));
    expect((await get('/health')).status).to.equal(200);
    expect((await get('/config/regions', '203.0.113.2')).status).to.equal(200);
  });

  it('counts a user over all addresses, and tells the tighter limit', async () => {
    const first = await get('/api/things', '203.0.113.1', 'ada');
    expect(first.headers.get('ratelimit-limit')).to.equal('2');
    expect(first.headers.get('ratelimit-remaining')).to.equal('1');
    expect((await get('/api/things', '203.0.113.2', 'ada')).status).to.equal(200);
    expect((await get('/api/things', '203.0.113.3', 'ada')).status).to.equal(429);
    expect((await get('/api/things', '203.0.113.3', 'grace')).status).to.equal(200);
  });

  it('counts reading and writing apart', async () => {
    await times(3, () => get('/api/things', '203.0.113.1', 'ada'));
    const write = await fetch(`${under.url}/api/things`, { method: 'POST', headers: { Authorization: 'Bearer ada' } });
    expect(write.status).to.equal(200);
  });

  it('counts the alias with the path that it stands for', async () => {
    await times(2, () => get('/api/things', '203.0.113.1', 'ada'));
    expect((await get('/api-key/things', '203.0.113.1', 'ada')).status).to.equal(429);
  });

  it('stops an address that guesses tokens, also when it then guesses right', async () => {
    expect(await times(4, () => get('/api/things', '203.0.113.9', 'mallory'))).to.deep.equal([401, 401, 401, 429]);
    expect((await get('/api/things', '203.0.113.9', 'ada')).status).to.equal(429);
    expect((await get('/api/things', '203.0.113.8', 'ada')).status).to.equal(200);
  });

  it('does not count calls without any proof as guesses', async () => {
    expect(await times(4, () => get('/api/things', '203.0.113.9'))).to.deep.equal([401, 401, 401, 401]);
    expect((await get('/api/things', '203.0.113.9', 'ada')).status).to.equal(200);
  });

  it('believes only what its own proxy appended', async () => {
    await times(3, () => get('/config/regions', '198.51.100.7, 203.0.113.1'));
    expect((await get('/config/regions', '198.51.100.8, 203.0.113.1')).status).to.equal(429);
  });

  it('counts a whole /64 of IPv6 as one customer', async () => {
    await times(3, () => get('/config/regions', '2001:db8:1:2::1'));
    expect((await get('/config/regions', '2001:db8:1:2:ffff::9')).status).to.equal(429);
    expect((await get('/config/regions', '2001:db8:1:3::1')).status).to.equal(200);
  });

  it('never limits a preflight', async () => {
    const preflight = () =>
      fetch(`${under.url}/config/regions`, {
        method: 'OPTIONS',
        headers: { Origin: 'https://app.example', 'X-Forwarded-For': '203.0.113.1' },
      });
    expect(await times(6, preflight)).to.deep.equal([204, 204, 204, 204, 204, 204]);
  });
});

describe('without a trusted proxy', () => {
  it('ignores X-Forwarded-For', async () => {
    const under = await startHttp(endpoints, { limits });
    const seen: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      const headers = { 'X-Forwarded-For': `203.0.113.${n}` };
      seen.push((await fetch(`${under.url}/config/regions`, { headers })).status);
    }
    await under.close();
    expect(seen).to.deep.equal([200, 200, 200, 429]);
  });
});

describe('when the proof of identity cannot be checked', () => {
  it('answers 503, never 401, and counts no failed sign-in', async () => {
    const under = await startHttp(endpoints, {
      limits,
      limiter: memoryLimiter(),
      authenticator: () => Promise.reject(new StoreUnavailableError('read')),
    });
    const seen: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      seen.push((await fetch(`${under.url}/api/things`, { headers: { Authorization: 'Bearer ada' } })).status);
    }
    await under.close();
    expect(seen).to.deep.equal([503, 503, 503, 503, 503]);
  });
});
