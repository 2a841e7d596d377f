import { expect } from 'chai';
import { sqliteVault } from '../../infra/vault/sqlite-vault.ts';
import type { PushTokenEvent } from '../../src/events/push-token/push-token.events.ts';
import { givenPushTokens } from '../devices/given-push-tokens.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { ADA, causeAt, DEVICE, EVE, handed, killed, mine, phone } from './fixtures.ts';

const given = () => {
  const store = memoryEventStore();
  const vault = sqliteVault({ path: ':memory:', masterKey: 'ab'.repeat(32) });
  const desk = givenPushTokens(store, vault);
  const said = () => store.log().filter(({ stream }) => stream.startsWith('pushToken-'));
  return {
    ...desk,
    killed: (whole: number, work: () => Promise<unknown>) => killed(store, whole, work),
    types: () => said().map(({ type }) => type),
    last: () => said().at(-1)?.data as PushTokenEvent['data'] & Readonly<{ reason?: string }>,
    held: () => {
      const { tokenHash, deviceId, userId } = said()[0]?.data as PushTokenEvent['data'];
      return { tokenHash, deviceId, userId };
    },
  };
};

describe('a push token that a crash left with its device', () => {
  it('is released when the device was removed, also when it is somebody else’s by now', async () => {
    for (const next of [undefined, EVE]) {
      const { tokens, registry, killed, held, types, last } = given();
      await tokens.store(mine, handed('aa'.repeat(32)), phone, causeAt(1));
      await killed(1, () => tokens.removeDevice(mine, causeAt(2)));
      if (next !== undefined) {
        await registry.register({ ...mine, userId: next }, { ...phone, directory: undefined }, causeAt(3));
      }
      await tokens.releaseStale(held(), causeAt(90));
      expect(types()).to.deep.equal(['PushTokenClaimed', 'PushTokenReleased']);
      expect(last()).to.include({ userId: ADA, deviceId: DEVICE, reason: 'device_removed' });
      await tokens.releaseStale(held(), causeAt(91));
      expect(types()).to.have.length(2);
    }
  });

  it('is released when its user has signed out of the device, or handed in another one', async () => {
    const signedOut = given();
    await signedOut.tokens.store(mine, handed('aa'.repeat(32)), phone, causeAt(1));
    await signedOut.killed(1, () => signedOut.tokens.drop(mine, 'signed_out', causeAt(2)));
    await signedOut.tokens.releaseStale(signedOut.held(), causeAt(90));
    expect(signedOut.last()).to.include({ reason: 'signed_out' });

    const replaced = given();
    await replaced.tokens.store(mine, handed('aa'.repeat(32)), phone, causeAt(1));
    await replaced.killed(2, () => replaced.tokens.store(mine, handed('bb'.repeat(32)), phone, causeAt(2)));
    // The app does not know and hands it in again: that alone would not release the old one.
    await replaced.tokens.store(mine, handed('bb'.repeat(32)), phone, causeAt(3));
    await replaced.tokens.releaseStale(replaced.held(), causeAt(90));
    expect(replaced.last()).to.include({ ...replaced.held(), reason: 'replaced' });
    expect(replaced.types()).to.deep.equal(['PushTokenClaimed', 'PushTokenClaimed', 'PushTokenReleased']);
  });

  it('stays when it is the device’s own after all', async () => {
    const { tokens, held, types } = given();
    await tokens.store(mine, handed('aa'.repeat(32)), phone, causeAt(1));
    await tokens.releaseStale(held(), causeAt(90));
    expect(types()).to.deep.equal(['PushTokenClaimed']);
  });

  it('stays with a device that hands it in again while it is being released', async () => {
    const { tokens, killed, held, types, registry } = given();
    await tokens.store(mine, handed('aa'.repeat(32)), phone, causeAt(1));
    await killed(1, () => tokens.drop(mine, 'signed_out', causeAt(2)));
    // Looked at before it was handed in again, released after that.
    const looked = await registry.holder(DEVICE);
    await tokens.store(mine, handed('aa'.repeat(32)), phone, causeAt(91));
    expect(looked?.pushTokenHash).to.equal(null);
    await tokens.gone(held(), causeAt(90).at, causeAt(92));
    expect(types()).to.deep.equal(['PushTokenClaimed', 'PushTokenClaimed']);
  });
});
