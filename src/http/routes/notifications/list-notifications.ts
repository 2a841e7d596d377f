import { z } from 'zod';
import { NOTIFICATION } from '../../../events/notification/notification.events.ts';
import {
  listNotifications,
  type ListedNotification,
  type NotificationPlace,
} from '../../../../queries/notifications/list-notifications.query.ts';
import { streamOf } from '../../../kernel/aggregate.ts';
import { isUuid } from '../../../kernel/ids.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import type { SubjectVault } from '../../../kernel/vault.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

const instant = z.iso.datetime({ offset: true });

/** An instant, or where a page ended: several notifications may be of one instant. */
const place = z.string().transform((text, context): NotificationPlace => {
  const [at = '', notificationId, ...more] = text.split('~');
  const isPlace = instant.safeParse(at).success && (notificationId === undefined || isUuid(notificationId));
  if (!isPlace || more.length > 0) context.addIssue('must be an ISO time, or what the page before gave as nextBefore');
  return { at, notificationId };
});

const placeOf = ({ requestedAt, notificationId }: ListedNotification): string => `${requestedAt}~${notificationId}`;

const query = z.object({
  before: place.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

type Deps = Readonly<{ queries: Pick<QueryRunner, 'asUser'>; vault: Pick<SubjectVault, 'open'> }>;

const shown = z.object({ title: z.string(), body: z.string() });

const presented = async (vault: Deps['vault'], { content, ...listed }: ListedNotification) => {
  const { notificationId } = listed;
  const opened = await vault.open(streamOf({ category: NOTIFICATION }, notificationId), content);
  const { title = null, body = null } = shown.safeParse(opened).data ?? {};
  return { ...listed, title, body };
};

/** What the user was told, and how far it got; `nextBefore` asks for the page after this one, null: there is none. */
export const listNotificationsEndpoint = ({ queries, vault }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/notifications',
    limit: 'read',
    query,
    handle: async ({ query: { before, limit } }, { userId }) => {
      const listed = await queries.asUser(userId, listNotifications(userId, { before, limit }));
      const last = listed.at(-1);
      const nextBefore = last === undefined || listed.length < limit ? null : placeOf(last);
      return json(200, { notifications: await Promise.all(listed.map((one) => presented(vault, one))), nextBefore });
    },
  });
