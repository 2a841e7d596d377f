import { expect } from 'chai';
import { pollStatus } from '../../src/http/routes/auth/poll-status.ts';
import { startHttp, type HttpUnderTest } from '../support/given-http.ts';

describe('asking how a login has ended', () => {
  let look: () => Promise<undefined>;
  let under: HttpUnderTest;
  before(async () => {
    under = await startHttp([pollStatus({ look: () => look() })]);
  });
  after(() => under.close());

  const asked = async () => {
    const answer = await fetch(`${under.url}/auth0/poll-status?pid=one`);
    return [answer.status, await answer.text()];
  };

  it('says to wait while the shared store is away: apps give a login up that answers anything else', async () => {
    look = () => Promise.reject(Object.assign(new Error('away'), { tag: 'RedisUnavailableError' }));
    expect(await asked()).to.deep.equal([204, '']);
  });

  it('hides no fault behind that', async () => {
    look = () => Promise.reject(new Error('broken'));
    expect((await asked())[0]).to.equal(500);
  });
});
