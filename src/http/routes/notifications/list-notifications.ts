import { z } from 'zod';
import { NOTIFICATION } from '../../../events/notification/notification.events.ts';
import {
  listNotifications,
  type ListedNotification,
} from '../../../../queries/notifications/list-notifications.query.ts';
import { streamOf } from '../../../kernel/aggregate.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import type { SubjectVault } from '../../../kernel/vault.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

const query = z.object({
  before: z.iso.datetime({ offset: true }).optional(),
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
      const nextBefore = listed.length < limit ? null : (listed.at(-1)?.requestedAt ?? null);
      return json(200, { notifications: await Promise.all(listed.map((one) => presented(vault, one))), nextBefore });
    },
  });
