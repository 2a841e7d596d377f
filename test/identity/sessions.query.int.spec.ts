import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { sessionsProjection } from '../../projections/sessions/sessions.projection.ts';
import { endedSessions } from '../../queries/users/ended-sessions.query.ts';
import { openSessions } from '../../queries/users/open-sessions.query.ts';
import { isoAfter } from '../../src/kernel/clock.ts';
import { startReadSide, type ReadSide } from '../billing/read-side.ts';
import { ada, causeAt, identityRig, MAX_SESSION_SECONDS, START } from './rig.ts';

const END = '2026-03-31T12:00:00.000000Z';

describe('the sessions of users', function () {
  this.timeout(60_000);
  const rig = identityRig();
  let readSide: ReadSide;
  let userId = '';
  let strangerId = '';
  const [open, ended] = [randomUUID(), randomUUID()];

  before(async () => {
    readSide = await startReadSide([sessionsProjection], rig);
    ({ userId } = await rig.logIn(ada, START, open));
    await rig.logIn(ada, START, ended);
    ({ userId: strangerId } = await rig.logIn({ ...ada, subject: 'google-oauth2|bob', email: 'bob@example.test' }));
    const expiresAt = isoAfter(START, MAX_SESSION_SECONDS * 1000);
    const data = { sessionId: ended, userId, expiresAt, at: START };
    await rig.sessions.handle(ended, { type: 'SignOut', key: `sign-out:${ended}`, data }, causeAt());
  });
  after(() => readSide.close());

  it('that have ended are told while their tokens may live', async () => {
    const { queries } = readSide;
    expect(await queries.asSystem(endedSessions(START))).to.deep.equal([{ sessionId: ended, until: END }]);
    expect(await queries.asSystem(endedSessions(END))).to.deep.equal([]);
  });

  it('that are open are told to their user, until they are too old', async () => {
    const { queries } = readSide;
    const view = [{ sessionId: open, deviceId: null, expiresAt: END }];
    expect(await queries.asUser(userId, openSessions(userId, START))).to.deep.equal(view);
    expect(await queries.asUser(userId, openSessions(userId, END))).to.deep.equal([]);
    expect(await queries.asUser(strangerId, openSessions(userId, START))).to.deep.equal([]);
  });
});
