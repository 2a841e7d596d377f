import type { NotificationEvent } from '../../src/events/notification/notification.events.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { never } from '../../src/kernel/never.ts';
import type { NotificationCommand, RequestNotification, SettleDevice } from './notifications.commands.ts';
import {
  isSilent,
  ONE_WITHIN_MS,
  type Notification,
  type OnDevice,
  type RequestedNotification,
} from './notifications.state.ts';

const devicesThat = ({ devices }: RequestedNotification, are: OnDevice): readonly string[] =>
  Object.keys(devices).filter((deviceId) => devices[deviceId] === are);

const superseded = (notificationId: string, state: RequestedNotification, at: IsoTime): readonly NotificationEvent[] =>
  devicesThat(state, 'waiting').map((deviceId) => {
    const { userId, kind, jobId } = state;
    const about = { notificationId, userId, kind, jobId, deviceId, attempts: 0, at };
    return { type: 'NotificationFailed', data: { ...about, reason: 'superseded', detail: null } };
  });

/** What has reached a device, or is on its way there, is not sent again. */
const again = ({ data }: RequestNotification, state: RequestedNotification): readonly NotificationEvent[] => {
  if (isSilent(data.kind)) return [];
  const open = data.deviceIds.filter((deviceId) => (state.devices[deviceId] ?? 'failed') === 'failed');
  if (open.length === 0) return [];
  return [{ type: 'NotificationRequested', data: { ...data, deviceIds: open, since: state.since } }];
};

const request = (command: RequestNotification, state: Notification): readonly NotificationEvent[] => {
  const { data } = command;
  const afresh: NotificationEvent = { type: 'NotificationRequested', data: { ...data, since: data.at } };
  if (state.status === 'none') return [afresh];
  if (Date.parse(data.at) - Date.parse(state.since) < ONE_WITHIN_MS[data.kind]) return again(command, state);
  return [...superseded(data.notificationId, state, data.at), afresh];
};

const settle = ({ data }: SettleDevice, state: Notification): readonly NotificationEvent[] => {
  if (state.status === 'none' || state.devices[data.deviceId] !== 'waiting') return [];
  const { notificationId, deviceId, attempts, at } = data;
  const { userId, kind, jobId } = state;
  const about = { notificationId, userId, kind, jobId, deviceId, attempts, at };
  if (data.outcome === 'delivered') return [{ type: 'NotificationDelivered', data: about }];
  return [{ type: 'NotificationFailed', data: { ...about, reason: data.reason, detail: data.detail } }];
};

const decide = (command: NotificationCommand, state: Notification): readonly NotificationEvent[] => {
  switch (command.type) {
    case 'RequestNotification':
      return request(command, state);
    case 'SettleDevice':
      return settle(command, state);
    default:
      return never(command);
  }
};

const settled = (state: Notification, deviceId: string, as: OnDevice): Notification =>
  state.status === 'none' ? state : { ...state, devices: { ...state.devices, [deviceId]: as } };

const evolve = (state: Notification, event: NotificationEvent): Notification => {
  switch (event.type) {
    case 'NotificationRequested': {
      const { userId, kind, jobId, since, content, deviceIds, at } = event.data;
      const known = state.status === 'requested' && state.since === since ? state.devices : {};
      const waiting = Object.fromEntries(deviceIds.map((deviceId) => [deviceId, 'waiting' as const]));
      const devices = { ...known, ...waiting };
      return { status: 'requested', userId, kind, jobId, since, requestedAt: at, content, devices };
    }
    case 'NotificationDelivered':
      return settled(state, event.data.deviceId, 'delivered');
    case 'NotificationFailed':
      return settled(state, event.data.deviceId, 'failed');
    default:
      return never(event);
  }
};

/** Decides what is sent to which device, once, and keeps what became of it. */
export const notificationDecider: Decider<Notification, NotificationCommand, NotificationEvent> = {
  initial: { status: 'none' },
  evolve,
  decide,
};
