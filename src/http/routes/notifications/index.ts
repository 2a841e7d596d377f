import type { Notifier } from '../../../../commands/notifications/notifier.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import type { SubjectVault } from '../../../kernel/vault.ts';
import type { Endpoint } from '../../endpoint.ts';
import { listNotificationsEndpoint } from './list-notifications.ts';
import { notifyJob } from './notify-job.ts';
import { notifyTest } from './notify-test.ts';

export type NotificationEndpointDeps = Readonly<{
  notifier: Pick<Notifier, 'notify'>;
  queries: Pick<QueryRunner, 'asUser'>;
  vault: Pick<SubjectVault, 'open'>;
}>;

/** Everything under `/api/notifications`. */
export const notificationEndpoints = (deps: NotificationEndpointDeps): readonly Endpoint[] => [
  notifyJob(deps, 'job-completed'),
  notifyJob(deps, 'job-failed'),
  notifyJob(deps, 'job-progress'),
  notifyTest(deps),
  listNotificationsEndpoint(deps),
];
