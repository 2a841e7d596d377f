import type { NotificationContent, NotificationKind } from '../../src/events/notification/notification.events.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { MOST_PAYLOAD_BYTES } from '../../src/kernel/push.ts';
import { isSilent } from './notifications.state.ts';

type Json = Readonly<Record<string, unknown>>;

/** What is to be told, as it was handed in. */
export type Told = Readonly<{ title: string; body: string; data: Json }>;

const CATEGORY: Readonly<Partial<Record<NotificationKind, string>>> = {
  'job-completed': 'job_completed',
  'job-failed': 'job_failed',
  'job-progress': 'job_progress',
  payment: 'payment',
  test: 'test',
  'desktop-online': 'desktop_online',
};

/** A push that shows nothing may say nothing of alerts, badges or sounds. */
const apsOf = (kind: NotificationKind, title: string, body: string): Json => {
  if (isSilent(kind)) return { 'content-available': 1 };
  const shown = { alert: { title, body }, badge: 1, sound: 'default', category: CATEGORY[kind] };
  return kind === 'test' ? shown : { ...shown, 'content-available': 1 };
};

/** What the push service is given. */
export const payloadOf = (kind: NotificationKind, { title, body, data }: NotificationContent): Json => ({
  ...data,
  aps: apsOf(kind, title, body),
});

/** Where the app goes when the notification is opened. These are given up last. */
const WAY = new Set(['type', 'jobId', 'sessionId', 'projectDirectory', 'timestamp']);

const MOST_TITLE = 200;
const MOST_BODY = 1000;
const SHORT = 200;

const bytesOf = (kind: NotificationKind, content: NotificationContent): number =>
  Buffer.byteLength(JSON.stringify(payloadOf(kind, content)), 'utf8');

/** At most so many characters, without half ones and what no store can hold. */
const cut = (text: string, most: number): string => {
  const plain = text.toWellFormed().replaceAll('\0', '');
  if (plain.length <= most) return plain;
  return `${plain.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
};

const mapped = (data: Json, change: (name: string, value: unknown) => unknown): Json =>
  Object.fromEntries(Object.entries(data).map(([name, value]) => [name, change(name, value)]));

const shortened = (data: Json): Json =>
  mapped(data, (name, value) => (typeof value === 'string' && !WAY.has(name) ? cut(value, SHORT) : value));

const onlyTheWay = (data: Json): Json => Object.fromEntries(Object.entries(data).filter(([name]) => WAY.has(name)));

const shortWay = (data: Json): Json =>
  mapped(onlyTheWay(data), (_, value) => (typeof value === 'string' ? cut(value, SHORT) : null));

/** Each gives up more than the one before it. */
const SMALLER: readonly ((content: NotificationContent) => NotificationContent)[] = [
  (content) => content,
  (content) => ({ ...content, data: shortened(content.data) }),
  (content) => ({ ...content, body: cut(content.body, SHORT), data: shortened(content.data) }),
  (content) => ({ ...content, body: cut(content.body, SHORT), data: onlyTheWay(content.data) }),
  (content) => ({ title: cut(content.title, 60), body: cut(content.body, 60), data: shortWay(content.data) }),
  ({ title, body }) => ({ title: cut(title, 60), body: cut(body, 60), data: {} }),
];

/**
 * Makes what was handed in fit into one push: nobody is helped by an error because an error message was too long. The
 * app's way to what happened is given up last. `type`, `jobId` and `timestamp` are added where they are missing.
 */
export const fitted = (kind: NotificationKind, jobId: string | null, told: Told, at: IsoTime): NotificationContent => {
  const { aps: _, ...given } = told.data;
  const whole = {
    title: cut(told.title, MOST_TITLE),
    body: cut(told.body, MOST_BODY),
    data: { type: CATEGORY[kind], ...(jobId === null || kind === 'payment' ? {} : { jobId }), timestamp: at, ...given },
  };
  const fits = SMALLER.map((smaller) => smaller(whole)).find((content) => bytesOf(kind, content) <= MOST_PAYLOAD_BYTES);
  return fits ?? { title: '', body: '', data: {} };
};
