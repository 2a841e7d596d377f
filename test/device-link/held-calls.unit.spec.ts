import { expect } from 'chai';
import { heldCalls, type WaitingCall } from '../../src/ws/device-link/held-calls.ts';

const MOST = 100;

const given = () => {
  const brought: string[] = [];
  const refused: string[] = [];
  const held = heldCalls({
    bring: ({ id }) => {
      brought.push(id);
      return Promise.resolve(undefined);
    },
    giveUp: ({ id }) => Promise.resolve(refused.push(id)),
    now: () => 0,
  });
  const call = (n: number): WaitingCall => ({
    userId: 'ada',
    clientId: 'phone',
    id: `call-${n}`,
    frame: '{}',
    until: 60_000,
  });
  return { held, call, brought, refused };
};

describe('calls that wait for a desktop', () => {
  it('are so many and no more, in their order', async () => {
    const { held, call, brought, refused } = given();
    const taken = Array.from({ length: MOST + 2 }, (_, n) => held.hold(call(n)));
    expect(taken.filter((isTaken) => !isTaken)).to.have.length(2);
    await held.wake('ada');
    expect(brought).to.deep.equal(Array.from({ length: MOST }, (_, n) => `call-${n}`));
    expect([held.size(), refused]).to.deep.equal([0, []]);
  });

  it('wait in any case when a desktop may be carrying them out', async () => {
    const { held, call, brought } = given();
    for (let n = 0; n < MOST; n += 1) held.hold(call(n));
    expect(held.hold(call(MOST))).to.equal(false);
    expect(held.hold({ ...call(MOST), mayBeGot: true })).to.equal(true);
    await held.wake('ada');
    expect(brought.at(-1)).to.equal(`call-${MOST}`);
  });
});
