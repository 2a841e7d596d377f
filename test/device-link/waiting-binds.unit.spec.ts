import { expect } from 'chai';
import type { Registered } from '../../src/ws/device-link/connections.ts';
import { waitingBinds, type Refusal } from '../../src/ws/device-link/waiting-binds.ts';
import { eventually } from '../support/eventually.ts';

const OFFLINE: Refusal = ['producerNotConnected', 'Desktop is offline'];

const given = (holdMs = 60_000) => {
  const tried: string[] = [];
  const refused: string[] = [];
  let isThere = false;
  const binds = waitingBinds({
    attempt: ({ frame }) => {
      tried.push(frame);
      return Promise.resolve(isThere ? undefined : OFFLINE);
    },
    refuse: (_connection, code) => void refused.push(code),
    holdMs,
  });
  const connection = {
    caller: { userId: 'ada' },
    entry: { presence: { connectionId: 'c' } },
    isOpen: () => true,
  } as unknown as Registered;
  const wish = (frame: string) => ({ connection, sessionId: 'term', frame });
  const come = (): Promise<void> => {
    isThere = true;
    return binds.desktopCame('ada');
  };
  return { binds, wish, come, tried, refused };
};

describe('binds that wait for a desktop', () => {
  it('are tried again when it comes, and not after that', async () => {
    const { binds, wish, come, tried, refused } = given();
    await binds.ask(wish('one'));
    await binds.desktopCame('somebody else');
    await come();
    await come();
    expect([tried, refused]).to.deep.equal([['one', 'one'], []]);
  });

  it('give way to a later one, and end when they are withdrawn', async () => {
    const { binds, wish, come, tried } = given();
    await binds.ask(wish('one'));
    await binds.ask(wish('two'));
    await binds.desktopCame('ada');
    expect(tried).to.deep.equal(['one', 'two', 'two']);
    await binds.withdraw(wish('two'), () => Promise.resolve());
    await come();
    expect(tried).to.have.length(3);
  });

  it('are refused once when none comes', async () => {
    const { binds, wish, come, tried, refused } = given(1);
    await binds.ask(wish('one'));
    await eventually('a refusal', () => (refused.length > 0 ? true : undefined));
    await come();
    expect([tried, refused]).to.deep.equal([['one', 'one'], ['producerNotConnected']]);
  });
});
