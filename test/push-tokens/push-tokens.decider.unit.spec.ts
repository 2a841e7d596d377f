import fc from 'fast-check';
import { expect } from 'chai';
import type { PushTokenCommand } from '../../commands/push-tokens/push-tokens.commands.ts';
import { pushTokenDecider as decider } from '../../commands/push-tokens/push-tokens.decider.ts';
import type { PushTokenEvent } from '../../src/events/push-token/push-token.events.ts';
import { fold } from '../../src/kernel/decider.ts';
import { ADA, DEVICE_ID, GRACE, minutes, secret, T0 } from '../devices/fixtures.ts';
import { given } from '../support/given.ts';

const OTHER_DEVICE = '7f0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
const token = { tokenHash: 'hash', token: secret('token').sealed };

type Claim = Extract<PushTokenCommand, { type: 'ClaimPushToken' }>;
type Release = Extract<PushTokenCommand, { type: 'ReleasePushToken' }>;

const claim = (change: Partial<Claim['data']> = {}): Claim => ({
  type: 'ClaimPushToken',
  key: 'claim',
  data: {
    ...token,
    userId: ADA,
    deviceId: DEVICE_ID,
    platform: 'ios',
    environment: null,
    bundleId: null,
    afresh: false,
    at: T0,
    ...change,
  },
});

const release = (change: Partial<Release['data']> = {}): Release => ({
  type: 'ReleasePushToken',
  key: 'release',
  data: { tokenHash: 'hash', deviceId: DEVICE_ID, reason: 'gone', goneSince: null, at: minutes(5), ...change },
});

const learn = (environment: 'sandbox' | 'production', deviceId = DEVICE_ID): PushTokenCommand => ({
  type: 'LearnEnvironment',
  key: 'learn',
  data: { tokenHash: 'hash', deviceId, environment, at: minutes(1) },
});

const claimed = (change: Partial<Claim['data']> = {}): PushTokenEvent => {
  const { afresh: _, ...data } = claim(change).data;
  return { type: 'PushTokenClaimed', data };
};

describe('push token', () => {
  describe('when nobody has it', () => {
    it('is had by the first device that hands it in', () => {
      given(decider).when(claim()).thenEvents(claimed());
    });

    it('has nothing to release and nothing to learn', () => {
      given(decider).when(release()).thenNothing();
      given(decider).when(learn('production')).thenNothing();
    });
  });

  describe('when a device has it', () => {
    it('says nothing when that hands it in again', () => {
      given(decider, claimed())
        .when(claim({ at: minutes(1) }))
        .thenNothing();
    });

    it('goes over to another device, of the same user or of another one, and back', () => {
      for (const to of [{ deviceId: OTHER_DEVICE }, { userId: GRACE, deviceId: OTHER_DEVICE }, { userId: GRACE }]) {
        given(decider, claimed()).when(claim(to)).thenEvents(claimed(to));
        given(decider, claimed(), claimed(to)).when(claim()).thenEvents(claimed());
      }
    });

    it('is not released by a device that has it no longer', () => {
      given(decider, claimed(), claimed({ userId: GRACE, deviceId: OTHER_DEVICE }))
        .when(release({ reason: 'replaced' }))
        .thenNothing();
    });

    it('is released, once', () => {
      const released = {
        type: 'PushTokenReleased',
        data: { tokenHash: 'hash', userId: ADA, deviceId: DEVICE_ID, reason: 'gone', at: minutes(5) },
      } as const;
      given(decider, claimed()).when(release()).thenEvents(released);
      given(decider, claimed(), released).when(release()).thenNothing();
    });

    it('stays when the push service speaks of a time before it was handed in', () => {
      given(decider, claimed({ at: minutes(3) }))
        .when(release({ goneSince: minutes(2) }))
        .thenNothing();
      const state = fold(decider, decider.initial, [claimed({ at: minutes(3) })]);
      expect(decider.decide(release({ goneSince: minutes(4) }), state)).to.have.length(1);
    });

    it('learns where it belongs, and keeps that wherever it goes', () => {
      const learnt: PushTokenEvent = {
        type: 'PushTokenEnvironmentLearned',
        data: { tokenHash: 'hash', userId: ADA, deviceId: DEVICE_ID, environment: 'production', at: minutes(1) },
      };
      given(decider, claimed()).when(learn('production')).thenEvents(learnt);
      given(decider, claimed(), learnt).when(learn('production')).thenNothing();
      given(decider, claimed()).when(learn('production', OTHER_DEVICE)).thenNothing();
      given(decider, claimed(), learnt)
        .when(claim({ userId: GRACE }))
        .thenEvents(claimed({ userId: GRACE, environment: 'production' }));
    });
  });

  it('never reaches two devices, whatever is done', () => {
    const device = fc.constantFrom(DEVICE_ID, OTHER_DEVICE);
    const step = fc.record({ what: fc.constantFrom('claim', 'release'), userId: fc.constantFrom(ADA, GRACE), device });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let state = decider.initial;
        let holder: string | undefined;
        for (const [index, { what, userId, device: deviceId }] of steps.entries()) {
          const command = what === 'claim' ? claim({ userId, deviceId, at: minutes(index) }) : release({ deviceId });
          state = fold(decider, state, decider.decide(command, state));
          if (what === 'claim') holder = `${userId} ${deviceId}`;
          else if (holder?.endsWith(deviceId) === true) holder = undefined;
          expect(state.status === 'held' ? `${state.userId} ${state.deviceId}` : undefined).to.equal(holder);
        }
      }),
    );
  });
});
