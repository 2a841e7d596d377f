import { pushTokensProjection } from '../../projections/push-tokens/push-tokens.projection.ts';
import { pushTokensTable } from '../../projections/push-tokens/push-tokens.table.ts';
import { ADA, DEVICE_ID, GRACE, minutes, secret } from '../devices/fixtures.ts';
import { givenProjection, type GivenEvent } from '../support/given-projection.ts';

const stored = (minute: number): string => minutes(minute).replace('Z', '000Z');

const said = (type: string, minute: number, more: object = {}): GivenEvent => ({
  stream: 'pushToken-hash',
  type,
  data: { tokenHash: 'hash', userId: ADA, deviceId: DEVICE_ID, at: minutes(minute), ...more },
});

const claimed = (minute: number, more: object = {}): GivenEvent => ({
  ...said('PushTokenClaimed', minute, {
    platform: 'ios',
    environment: null,
    bundleId: null,
    token: secret('token').sealed,
    ...more,
  }),
  opened: { token: 'token' },
});

const row = {
  token_hash: 'hash',
  user_id: ADA,
  device_id: DEVICE_ID,
  platform: 'ios',
  environment: null,
  bundle_id: null,
  token: secret('token').sealed,
  claimed_at: stored(0),
};

describe('push-tokens projection', () => {
  it('knows whom a token reaches, the token sealed', async () => {
    await givenProjection(pushTokensProjection).events(claimed(0)).thenRows(pushTokensTable, [row]);
  });

  it('follows it to another user and learns where it belongs', async () => {
    await givenProjection(pushTokensProjection)
      .events(
        claimed(0),
        claimed(1, { userId: GRACE, bundleId: 'com.example.app', token: secret('hers').sealed }),
        said('PushTokenEnvironmentLearned', 2, { environment: 'production' }),
      )
      .thenRows(pushTokensTable, [
        {
          ...row,
          user_id: GRACE,
          bundle_id: 'com.example.app',
          environment: 'production',
          token: secret('hers').sealed,
          claimed_at: stored(1),
        },
      ]);
  });

  it('forgets what was released, until it is claimed again', async () => {
    const released = givenProjection(pushTokensProjection).events(
      claimed(0, { environment: 'sandbox' }),
      said('PushTokenReleased', 1, { reason: 'gone' }),
    );
    await released.thenRows(pushTokensTable, []);
    await released.events(claimed(2)).thenRows(pushTokensTable, [{ ...row, claimed_at: stored(2) }]);
  });
});
