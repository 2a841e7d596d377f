import { notificationsProjection } from '../../projections/notifications/notifications.projection.ts';
import { notificationsTable } from '../../projections/notifications/notifications.table.ts';
import type { NotificationEvent } from '../../src/events/notification/notification.events.ts';
import { ADA, minutes, secret, T0 } from '../devices/fixtures.ts';
import { givenProjection, type GivenEvent } from '../support/given-projection.ts';
import { delivered, failed, NOTIFICATION_ID, PHONE, requested, TABLET } from './fixtures.ts';

const stored = (minute: number): string => minutes(minute).replace('Z', '000Z');
const given = (event: NotificationEvent): GivenEvent => ({ stream: `notification-${NOTIFICATION_ID}`, ...event });

const row = {
  notification_id: NOTIFICATION_ID,
  user_id: ADA,
  kind: 'job-completed',
  job_id: 'job-1',
  content: secret('content').sealed,
  waiting: 2n,
  delivered: 0n,
  failed: 0n,
  last_failure: null,
  requested_at: stored(0),
};

const both = given(requested({ deviceIds: [PHONE, TABLET] }));

describe('notifications projection', () => {
  it('counts the devices that wait, the content sealed', async () => {
    await givenProjection(notificationsProjection).events(both).thenRows(notificationsTable, [row]);
  });

  it('counts what became of it', async () => {
    await givenProjection(notificationsProjection)
      .events(both, given(delivered(PHONE, minutes(1))), given(failed(TABLET, minutes(2), 'token_gone')))
      .thenRows(notificationsTable, [{ ...row, waiting: 0n, delivered: 1n, failed: 1n, last_failure: 'token_gone' }]);
  });

  it('goes on counting when the same is told again, with what was told last', async () => {
    const content = secret('other').sealed;
    await givenProjection(notificationsProjection)
      .events(
        both,
        given(delivered(PHONE, minutes(1))),
        given(failed(TABLET, minutes(20), 'superseded')),
        given(requested({ deviceIds: [PHONE], at: minutes(20), since: minutes(20), content })),
      )
      .thenRows(notificationsTable, [
        {
          ...row,
          content,
          waiting: 1n,
          delivered: 1n,
          failed: 1n,
          last_failure: 'superseded',
          requested_at: stored(20),
        },
      ]);
  });

  it('has a row for what reached nobody', async () => {
    await givenProjection(notificationsProjection)
      .events(given(requested({ deviceIds: [], at: T0 })))
      .thenRows(notificationsTable, [{ ...row, waiting: 0n }]);
  });
});
