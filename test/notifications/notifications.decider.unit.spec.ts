import type { NotificationCommand } from '../../commands/notifications/notifications.commands.ts';
import { notificationDecider as decider } from '../../commands/notifications/notifications.decider.ts';
import { minutes, secret, T0 } from '../devices/fixtures.ts';
import { given } from '../support/given.ts';
import { delivered, failed, NOTIFICATION_ID, PHONE, request, requested, TABLET } from './fixtures.ts';

const settle = (
  deviceId: string,
  outcome: 'delivered' | 'failed' = 'delivered',
  at = minutes(1),
): NotificationCommand => ({
  type: 'SettleDevice',
  key: 'settle',
  data:
    outcome === 'delivered'
      ? { notificationId: NOTIFICATION_ID, deviceId, attempts: 1, at, outcome }
      : { notificationId: NOTIFICATION_ID, deviceId, attempts: 5, at, outcome, reason: 'unavailable', detail: null },
});

describe('notification', () => {
  describe('when it was never asked for', () => {
    it('is to be sent to the devices that there are, or to none', () => {
      given(decider).when(request()).thenEvents(requested());
      given(decider)
        .when(request({ deviceIds: [] }))
        .thenEvents(requested({ deviceIds: [] }));
    });

    it('has nothing to settle', () => {
      given(decider).when(settle(PHONE)).thenNothing();
    });
  });

  describe('when it is asked for again within a while', () => {
    it('says nothing while it is on its way, or has arrived', () => {
      given(decider, requested())
        .when(request({ at: minutes(9) }))
        .thenNothing();
      given(decider, requested(), delivered(PHONE, minutes(1)))
        .when(request({ at: minutes(9) }))
        .thenNothing();
    });

    it('is sent to devices that have not got it', () => {
      const again = request({ deviceIds: [PHONE, TABLET], at: minutes(2) });
      const toOne = requested({ deviceIds: [TABLET], at: minutes(2), since: T0 });
      given(decider, requested(), delivered(PHONE, minutes(1)))
        .when(again)
        .thenEvents(toOne);
      given(decider, requested({ deviceIds: [] }))
        .when(request({ at: minutes(2) }))
        .thenEvents(requested({ at: minutes(2) }));
      given(
        decider,
        requested({ deviceIds: [PHONE, TABLET] }),
        failed(TABLET, minutes(1)),
        delivered(PHONE, minutes(1)),
      )
        .when(again)
        .thenEvents(toOne);
    });

    it('still counts from the first time', () => {
      given(decider, requested({ deviceIds: [] }), requested({ at: minutes(9) }), delivered(PHONE, minutes(9)))
        .when(request({ at: minutes(10) }))
        .thenEvents(requested({ at: minutes(10), since: minutes(10) }));
    });
  });

  describe('when it is asked for again later', () => {
    it('is a new one, and what still waits of the old one is superseded', () => {
      const content = secret('other').sealed;
      given(decider, requested({ deviceIds: [PHONE, TABLET] }), delivered(TABLET, minutes(1)))
        .when(request({ at: minutes(10), content }))
        .thenEvents(
          failed(PHONE, minutes(10), 'superseded', 0),
          requested({ at: minutes(10), since: minutes(10), content }),
        );
    });
  });

  describe('when it tells progress', () => {
    const progress = { kind: 'job-progress', at: '2026-01-01T00:00:14.999Z' } as const;

    it('is written down every fifteen seconds at most, whatever became of the last one', () => {
      const first = requested({ kind: 'job-progress' });
      given(decider, first).when(request(progress)).thenNothing();
      given(decider, first)
        .when(request({ ...progress, deviceIds: [TABLET] }))
        .thenNothing();
      const at = '2026-01-01T00:00:15.000Z';
      given(decider, first, delivered(PHONE, T0, 'job-progress'))
        .when(request({ ...progress, at }))
        .thenEvents(requested({ kind: 'job-progress', at, since: at }));
    });
  });

  describe('when a device is settled', () => {
    it('says what became of it, once', () => {
      given(decider, requested())
        .when(settle(PHONE))
        .thenEvents(delivered(PHONE, minutes(1)));
      given(decider, requested())
        .when(settle(PHONE, 'failed'))
        .thenEvents(failed(PHONE, minutes(1)));
      given(decider, requested(), delivered(PHONE, minutes(1)))
        .when(settle(PHONE, 'failed'))
        .thenNothing();
    });

    it('says nothing of a device that it was not for', () => {
      given(decider, requested()).when(settle(TABLET)).thenNothing();
    });
  });
});
