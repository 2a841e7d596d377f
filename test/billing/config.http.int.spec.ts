import { expect } from 'chai';
import { z } from 'zod';
import { configEndpoints } from '../../src/http/routes/config/index.ts';
import { videosUnder } from '../../src/http/routes/config/onboarding.ts';
import { startHttp, type HttpUnderTest } from '../support/given-http.ts';
import { usualPolicy } from '../support/usual-policy.ts';

describe('configuration endpoints', () => {
  let http: HttpUnderTest;

  before(async () => {
    http = await startHttp(
      configEndpoints({
        policy: () => usualPolicy,
        changePolicy: () => Promise.reject(new Error('nothing is changed here')),
        regions: [
          { label: 'Zone', url: 'https://zone.example', isDefault: false },
          { label: 'Europe', url: 'https://eu.example', isDefault: false },
          { label: 'United States', url: 'https://us.example', isDefault: true },
        ],
        regionsSince: '2026-01-01T00:00:00.000Z',
        videos: videosUnder('https://cdn.example/films', { intro: '/onboarding/intro_v1.m3u8' }),
      }),
    );
  });

  after(() => http.close());

  const get = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(`${http.url}${path}`, { headers });
    return { status: response.status, body: await response.json() };
  };

  it('tell what new users are given, to users only', async () => {
    const { body } = await get('/api/config/billing', { authorization: 'Bearer ada' });
    expect(body).to.deep.equal({ freeCreditsAmount: '2.00', freeCreditsExpiryDays: 180 });
    expect((await get('/api/config/billing')).status).to.equal(401);
  });

  it('list the regions to anybody, the default first, then by label', async () => {
    const { status, body } = await get('/config/regions');
    expect(status).to.equal(200);
    const region = z.strictObject({
      id: z.int(),
      label: z.string(),
      url: z.url(),
      is_default: z.boolean(),
      created_at: z.iso.datetime(),
      updated_at: z.iso.datetime(),
    });
    const regions = z.array(region).parse(body);
    expect(regions.map(({ label }) => label)).to.deep.equal(['United States', 'Europe', 'Zone']);
    expect(regions.map(({ is_default }) => is_default)).to.deep.equal([true, false, false]);
    expect(new Set(regions.map(({ id }) => id)).size).to.equal(3);
  });

  it('give the addresses of the films to anybody', async () => {
    const { body } = await get('/public/onboarding');
    expect(body).to.deep.equal({ videos: { intro: 'https://cdn.example/films/onboarding/intro_v1.m3u8' } });
  });
});
