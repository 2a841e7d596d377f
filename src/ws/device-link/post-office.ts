import type { Delivery, NumberedEvent, Presence, Relay, TerminalRoute } from '../../kernel/relay.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isRegistered, type Connections, type Registered } from './connections.ts';
import { eventFrame } from './frames.ts';
import { importanceOf, latestOf } from './event-rules.ts';

/** How long what is known of a user's devices is believed without looking again. News of them come sooner. */
const BELIEVED_MS = 2_000;
const SUPERSEDED = 4001;

type Known<T> = Readonly<{ value: Promise<readonly T[]>; until: number }>;

/** Brings frames to devices, here or on another instance. */
export type PostOffice = Readonly<{
  /** The user's connected devices on all instances, the latest first. */
  present: (userId: string) => Promise<readonly Presence[]>;
  routes: (userId: string) => Promise<readonly TerminalRoute[]>;
  /** To be called when this process has changed something about them. */
  forget: (userId: string) => void;
  /** False when the device is not connected anywhere. */
  sendText: (userId: string, deviceId: string, frame: string) => Promise<boolean>;
  sendBinary: (userId: string, deviceId: string, frame: Uint8Array) => Promise<boolean>;
  /** Brings an answer, and keeps it for a while when the device is away. */
  sendMail: (userId: string, deviceId: string, frame: string) => Promise<void>;
  /** Hands an event to one connection, unless it has had it, or said it. */
  sendEvent: (connection: Registered, event: NumberedEvent) => void;
}>;

type Deps = Readonly<{ relay: Relay; connections: Connections; now: () => number; logger: Logger }>;

/** A few answers that are asked for often, for a short while. */
const briefly = <T>(now: () => number, ask: (userId: string) => Promise<readonly T[]>) => {
  const known = new Map<string, Known<T>>();
  return {
    of: (userId: string): Promise<readonly T[]> => {
      const found = known.get(userId);
      if (found !== undefined && found.until > now()) return found.value;
      const value = ask(userId);
      known.set(userId, { value, until: now() + BELIEVED_MS });
      value.catch(() => known.delete(userId));
      return value;
    },
    forget: (userId: string): void => void known.delete(userId),
    sweep: (): void => {
      const at = now();
      for (const [userId, { until }] of known) if (until <= at) known.delete(userId);
    },
  };
};

/** Takes the relay's deliveries for the connections of this process. */
export const postOffice = ({ relay, connections, now, logger }: Deps): PostOffice & Readonly<{ sweep: () => void }> => {
  const present = briefly(now, (userId) => relay.present(userId));
  const routes = briefly(now, (userId) => relay.routes(userId));

  const sendEvent = (connection: Registered, event: NumberedEvent): void => {
    if (event.sourceDeviceId === connection.presence.deviceId) return;
    if (connection.held !== undefined) {
      connection.held.push(event);
      return;
    }
    if (event.eventId <= connection.sentEventId) return;
    connection.sentEventId = event.eventId;
    connection.outbox.send(eventFrame(event), importanceOf(event.eventType), latestOf(event));
  };

  const take = (delivery: Delivery): void => {
    const { userId } = delivery;
    switch (delivery.kind) {
      case 'text':
        connections.find(userId, delivery.deviceId)?.outbox.send(delivery.frame, 'vital');
        return;
      case 'binary':
        connections.find(userId, delivery.deviceId)?.outbox.send(delivery.frame, 'vital');
        return;
      case 'routes':
        routes.forget(userId);
        return;
      case 'superseded': {
        const { deviceId, connectionId } = delivery;
        const old = connections.find(userId, deviceId);
        if (old?.presence.connectionId === connectionId) old.close(SUPERSEDED, 'this device has connected again');
        return;
      }
      case 'event':
        if (delivery.event.eventType === 'device-status') present.forget(userId);
        for (const connection of connections.of(userId)) sendEvent(connection, delivery.event);
    }
  };
  relay.onDelivery(take);

  const send = async (userId: string, deviceId: string, delivery: Delivery): Promise<boolean> => {
    const here = connections.find(userId, deviceId);
    if (here !== undefined && isRegistered(here)) {
      take(delivery);
      return true;
    }
    const there = (await present.of(userId)).find((other) => other.deviceId === deviceId);
    if (there === undefined || there.instance === relay.instance) return false;
    const taken = await relay.send(there, delivery);
    if (!taken) present.forget(userId);
    return taken;
  };

  const sendText = (userId: string, deviceId: string, frame: string): Promise<boolean> =>
    send(userId, deviceId, { kind: 'text', userId, deviceId, frame });

  const sendMail = async (userId: string, deviceId: string, frame: string): Promise<void> => {
    if (await sendText(userId, deviceId, frame)) return;
    await relay.keepMail(userId, deviceId, frame);
    // It may have come back between the two: then nobody else would look into its mail again.
    present.forget(userId);
    const back = (await present.of(userId)).some((other) => other.deviceId === deviceId);
    if (!back) return;
    for (const waiting of await relay.takeMail(userId, deviceId)) {
      if (!(await sendText(userId, deviceId, waiting))) logger.warn({ userId }, 'an answer could not be delivered');
    }
  };

  return {
    present: present.of,
    routes: routes.of,
    forget: (userId) => {
      present.forget(userId);
      routes.forget(userId);
    },
    sendText,
    sendBinary: (userId, deviceId, frame) => send(userId, deviceId, { kind: 'binary', userId, deviceId, frame }),
    sendMail,
    sendEvent,
    sweep: () => {
      present.sweep();
      routes.sweep();
    },
  };
};
