import { expect } from 'chai';
import fc from 'fast-check';
import type { ChangeDevicePushToken, DeviceCommand } from '../../commands/devices/devices.commands.ts';
import { deviceDecider as decider } from '../../commands/devices/devices.decider.ts';
import { device as aggregate } from '../../commands/devices/index.ts';
import type { DeviceEvent } from '../../src/events/device/device.events.ts';
import { fold } from '../../src/kernel/decider.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { given } from '../support/given.ts';
import { ADA, DEVICE_ID, GRACE, minutes, register, remove, report, secret, T0 } from './fixtures.ts';

const history = (...commands: readonly DeviceCommand[]): readonly DeviceEvent[] => {
  const events: DeviceEvent[] = [];
  for (const command of commands) {
    events.push(...decider.decide(command, fold(decider, decider.initial, events)));
  }
  return events;
};

const owner = { deviceId: DEVICE_ID, userId: ADA };
const facts = {
  ...owner,
  kind: 'desktop',
  platform: 'macos',
  platformVersion: '15.1',
  appVersion: '1.0.0',
  relayEligible: true,
  presence: 'online',
  details: secret('Mac').sealed,
  detailsDigest: secret('Mac').digest,
  at: T0,
} as const;

const placeholder = {
  kind: 'desktop',
  platform: 'macos',
  platformVersion: '15.1',
  appVersion: '1.0.0',
  relayEligible: true,
  presence: 'online',
  details: secret('Mac'),
} as const;

const pushTokenChange = (
  tokenHash: string | null,
  change: Partial<ChangeDevicePushToken['data']> = {},
): ChangeDevicePushToken => ({
  type: 'ChangeDevicePushToken',
  key: 'push-token',
  data: { ...owner, tokenHash, placeholder: undefined, at: T0, ...change },
});

const open = (directory: string | null, at = minutes(1), userId = ADA) =>
  ({
    type: 'ChangeDeviceDirectory',
    key: 'directory',
    data: { deviceId: DEVICE_ID, userId, directory: directory === null ? null : secret(directory), at },
  }) as const;

const show = (visible: boolean, userId = ADA) =>
  ({
    type: 'ChangeDeviceVisibility',
    key: 'visible',
    data: { deviceId: DEVICE_ID, userId, visible, at: minutes(1) },
  }) as const;

describe('device', () => {
  describe('when nobody has it', () => {
    it('is registered to the first who asks, personal parts sealed', () => {
      given(decider).when(register()).thenEvents({ type: 'DeviceRegistered', data: facts });
    });

    it('is registered with its project directory in the same append', () => {
      given(decider)
        .when(register({ directory: secret('/work') }))
        .thenEvents(
          { type: 'DeviceRegistered', data: facts },
          {
            type: 'DeviceDirectoryChanged',
            data: { ...owner, directory: secret('/work').sealed, directoryDigest: secret('/work').digest, at: T0 },
          },
        );
    });

    it('is made by a push token that brings the facts, and refused by one that does not', () => {
      const { detailsDigest: _, details, ...traits } = facts;
      given(decider)
        .when(pushTokenChange('one', { placeholder }))
        .thenEvents(
          { type: 'DeviceRegistered', data: { ...traits, details, detailsDigest: facts.detailsDigest } },
          { type: 'DevicePushTokenChanged', data: { ...owner, tokenHash: 'one', beforeHash: null, at: T0 } },
        );
      given(decider).when(pushTokenChange('one')).thenRefused('not_found');
    });

    for (const command of [report(1), remove(), open('/work'), show(false)]) {
      it(`refuses ${command.type}`, () => {
        given(decider).when(command).thenRefused('not_found');
      });
    }
  });

  describe('when it is registered', () => {
    const registered = history(register());

    it('says nothing when its owner registers the same again at once', () => {
      given(decider, ...registered)
        .when(register({ at: minutes(4) }))
        .thenNothing();
    });

    it('is only seen when its owner registers the same again later', () => {
      given(decider, ...registered)
        .when(register({ at: minutes(5) }))
        .thenEvents({ type: 'DeviceSeen', data: { ...owner, presence: 'online', at: minutes(5) } });
    });

    it('is updated when anything about it is new', () => {
      const news: readonly Parameters<typeof register>[0][] = [
        { details: secret('Other name') },
        { platformVersion: null },
        { platform: 'linux' },
        { appVersion: '1.0.1' },
        { relayEligible: false, presence: 'offline' },
        { kind: 'mobile' },
      ];
      for (const change of news) {
        const decided = decider.decide(
          register({ ...change, at: minutes(1) }),
          fold(decider, decider.initial, registered),
        );
        expect(
          decided.map(({ type }) => type),
          JSON.stringify(change),
        ).to.deep.equal(['DeviceUpdated']);
      }
    });

    it('keeps the project directory that it does not mention', () => {
      const working = history(register({ directory: secret('/work') }));
      given(decider, ...working)
        .when(register({ directory: undefined, at: minutes(1) }))
        .thenNothing();
    });

    it('refuses another user, and the owner stays', () => {
      const detail = given(decider, ...registered)
        .when(register({ userId: GRACE }))
        .thenRefused('forbidden');
      expect(detail).to.contain('another user');
    });

    for (const command of [report(1, 'online', GRACE), remove(GRACE), open('/work', T0, GRACE), show(false, GRACE)]) {
      it(`looks like none to a stranger's ${command.type}`, () => {
        given(decider, ...registered)
          .when(command)
          .thenRefused('not_found');
      });
    }

    it('writes a sign of life down when its presence changes', () => {
      given(decider, ...registered)
        .when(report(1, 'away'))
        .thenEvents({ type: 'DeviceSeen', data: { ...owner, presence: 'away', before: 'online', at: minutes(1) } });
    });

    it('writes one sign of life in five minutes down, however many come', () => {
      const beats = Array.from({ length: 120 }, (_, index) => report(index / 2));
      const seen = history(register(), ...beats).filter(({ type }) => type === 'DeviceSeen');
      expect(seen.map(({ data }) => data.at)).to.deep.equal(
        Array.from({ length: 11 }, (_, index) => minutes((index + 1) * 5)),
      );
    });

    it('does not fill the log when it changes its mind with every sign of life, and is heard again later', () => {
      const beats = Array.from({ length: 119 }, (_, index) =>
        report((index + 1) / 12, index % 2 === 0 ? 'away' : 'online'),
      );
      const restless = history(register(), ...beats);
      const changes = restless.filter(({ data }) => 'before' in data);
      expect(changes).to.have.length(20);
      const later = fold(decider, decider.initial, restless);
      expect(later).to.include({ presence: 'online' });
      given(decider, ...restless)
        .when(report(10, 'away'))
        .thenEvents({ type: 'DeviceSeen', data: { ...owner, presence: 'away', before: 'online', at: minutes(10) } });
    });

    it('takes a push token, once, another one, and none', () => {
      const token = (tokenHash: string | null) => pushTokenChange(tokenHash);
      const said = (tokenHash: string | null, beforeHash: string | null) =>
        ({ type: 'DevicePushTokenChanged', data: { ...owner, tokenHash, beforeHash, at: T0 } }) as const;
      given(decider, ...registered)
        .when(token('one'))
        .thenEvents(said('one', null));
      const reached = history(register(), token('one'));
      given(decider, ...reached)
        .when(token('one'))
        .thenNothing();
      given(decider, ...reached)
        .when(token('two'))
        .thenEvents(said('two', 'one'));
      given(decider, ...reached)
        .when(token(null))
        .thenEvents(said(null, 'one'));
    });

    it('keeps its push token when it registers again, and tells it when it is removed', () => {
      const again = history(register(), pushTokenChange('one'), register({ details: secret('Other name') }));
      expect(fold(decider, decider.initial, again)).to.include({ pushTokenHash: 'one' });
      const gone = [...again, ...decider.decide(remove(), fold(decider, decider.initial, again))];
      expect(fold(decider, decider.initial, gone)).to.deep.equal({ status: 'removed', pushTokenHash: 'one' });
    });

    it('forbids a stranger who would make a device of it, and looks like none to any other', () => {
      given(decider, ...registered)
        .when(pushTokenChange('one', { userId: GRACE, placeholder }))
        .thenRefused('forbidden');
      given(decider, ...registered)
        .when(pushTokenChange('one', { userId: GRACE }))
        .thenRefused('not_found');
    });

    it('tells a new project directory, once, and its closing', () => {
      const working = history(register(), open('/work'));
      expect(working.at(-1)?.type).to.equal('DeviceDirectoryChanged');
      given(decider, ...working)
        .when(open('/work', minutes(2)))
        .thenNothing();
      given(decider, ...working)
        .when(open(null, minutes(2)))
        .thenEvents({
          type: 'DeviceDirectoryChanged',
          data: { ...owner, directory: null, directoryDigest: null, at: minutes(2) },
        });
    });

    it('is offline while it is hidden, and says so once', () => {
      const hidden = history(register(), show(false));
      expect(hidden.at(-1)).to.deep.equal({
        type: 'DeviceVisibilityChanged',
        data: { ...owner, relayEligible: false, presence: 'offline', at: minutes(1) },
      });
      given(decider, ...hidden)
        .when(show(false))
        .thenNothing();
    });
  });

  describe('when it was removed', () => {
    const removed = history(register(), remove());

    it('has nothing to do with its last owner any more', () => {
      given(decider, ...removed)
        .when(report(11))
        .thenRefused('not_found');
      given(decider, ...removed)
        .when(remove())
        .thenRefused('not_found');
    });

    it('can be registered by anybody', () => {
      for (const userId of [ADA, GRACE]) {
        const state = fold(decider, decider.initial, removed);
        const decided = decider.decide(register({ userId, at: minutes(20) }), state);
        expect(decided.map(({ type }) => type)).to.deep.equal(['DeviceRegistered']);
        const now = fold(decider, state, decided);
        expect(now).to.include({ status: 'registered', userId, since: minutes(20), directoryDigest: null });
      }
    });
  });

  it('never has two owners, whatever two users do, and its snapshot is the state', () => {
    const user = fc.constantFrom(ADA, GRACE);
    const command = fc.oneof(
      fc.record({ kind: fc.constant('register' as const), user, name: fc.constantFrom('a', 'b') }),
      fc.record({ kind: fc.constant('report' as const), user }),
      fc.record({ kind: fc.constant('remove' as const), user }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (steps) => {
        let state = decider.initial;
        let ownerNow: string | undefined;
        for (const [index, step] of steps.entries()) {
          const at = minutes(index);
          const what: DeviceCommand =
            step.kind === 'register'
              ? register({ userId: step.user, details: secret(step.name), at })
              : step.kind === 'report'
                ? report(index, 'online', step.user)
                : remove(step.user, at);
          const free = ownerNow === undefined && step.kind === 'register';
          try {
            const events = decider.decide(what, state);
            expect(free || ownerNow === step.user, 'only the owner is heard').to.equal(true);
            state = fold(decider, state, events);
            ownerNow = step.kind === 'remove' ? undefined : step.user;
          } catch (error) {
            if (!isDomainError(error)) throw error;
            expect(ownerNow === step.user, error.message).to.equal(false);
          }
          expect(state.status === 'registered' ? state.userId : undefined).to.equal(ownerNow);
          const saved: unknown = JSON.parse(JSON.stringify(aggregate.snapshot?.toJson(state)));
          expect(aggregate.snapshot?.fromJson(saved)).to.deep.equal(state);
        }
      }),
    );
  });
});
