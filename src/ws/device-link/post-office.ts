import type { Logger } from '../../kernel/logger.ts';
import { MAIL_SECONDS, type Delivery, type NumberedEvent, type Relay } from '../../kernel/relay.ts';
import { SUPERSEDED } from './close-codes.ts';
import type { Connections } from './connections.ts';
import { eventFrame, isCall, isCallOrAnswer } from './frames.ts';
import type { Whereabouts } from './whereabouts.ts';

/** Brings frames to devices, here or on another instance. */
export type PostOffice = Readonly<{
  /** False when the device cannot be reached. Rejects when the relay does not answer. */
  sendText: (userId: string, deviceId: string, frame: string) => Promise<boolean>;
  sendBinary: (userId: string, deviceId: string, frame: Uint8Array) => Promise<boolean>;
  /** Brings an answer, or keeps it for a while when the device is away. Never rejects. */
  sendMail: (userId: string, deviceId: string, frame: string) => Promise<void>;
  /** Tries again with mail that could not even be kept, because the relay was away. */
  retry: () => Promise<void>;
  /** Pieces of mail that wait for that. */
  unposted: () => number;
}>;

type Deps = Readonly<{
  relay: Relay;
  connections: Connections;
  whereabouts: Whereabouts;
  /** True for a call that has to wait for its turn, and is taken care of. */
  waitsBehind: (deviceId: string, frame: string) => boolean;
  /** Told of a frame for a device that is not here any more. */
  undelivered: (userId: string, deviceId: string, frame: string) => void;
  /** Told of every `device-status` that is heard here. */
  statusHeard: (userId: string, event: NumberedEvent) => void;
  now: () => number;
  logger: Logger;
}>;

type Mail = Readonly<{ userId: string; deviceId: string; frame: string; until: number }>;

const MOST_UNPOSTED_BYTES = 64 * 1024 * 1024;

/** Takes the relay's deliveries for the connections of this process. */
export const postOffice = (deps: Deps): PostOffice => {
  const { relay, connections, whereabouts, now, logger } = deps;
  let unposted: Mail[] = [];
  let unpostedBytes = 0;

  const toDevice = (userId: string, deviceId: string, frame: string | Uint8Array): boolean => {
    const here = connections.find(userId, deviceId);
    if (here?.isOpen() !== true) return false;
    here.entry.feed.frame(frame, typeof frame === 'string' && isCallOrAnswer(frame) ? 'kept' : 'vital');
    return true;
  };

  const toAll = (userId: string, event: NumberedEvent): void => {
    let frame: string | undefined;
    const frameOf = (): string => (frame ??= eventFrame(event));
    for (const { entry } of connections.of(userId)) entry.feed.event(event, frameOf);
  };

  relay.onDelivery((delivery) => {
    const { userId } = delivery;
    switch (delivery.kind) {
      case 'text': {
        const { deviceId, frame } = delivery;
        if (isCall(frame) && deps.waitsBehind(deviceId, frame)) return;
        if (!toDevice(userId, deviceId, frame)) deps.undelivered(userId, deviceId, frame);
        return;
      }
      case 'binary':
        // Whoever watches again gets a snapshot.
        toDevice(userId, delivery.deviceId, delivery.frame);
        return;
      case 'routes':
        whereabouts.forget(userId);
        return;
      case 'superseded': {
        const old = connections.find(userId, delivery.deviceId);
        if (old?.entry.presence.connectionId !== delivery.connectionId) return;
        old.close(SUPERSEDED, 'this device has connected again');
        return;
      }
      case 'event':
        if (delivery.event.eventType === 'device-status') {
          whereabouts.forget(userId);
          deps.statusHeard(userId, delivery.event);
        }
        toAll(userId, delivery.event);
    }
  });

  const send = async (userId: string, deviceId: string, delivery: Delivery): Promise<boolean> => {
    const there = (await whereabouts.present(userId)).find((other) => other.deviceId === deviceId);
    if (there === undefined || there.instance === relay.instance) return false;
    const isTaken = await relay.send(there, delivery);
    if (!isTaken) whereabouts.forget(userId);
    return isTaken;
  };

  const sendText: PostOffice['sendText'] = async (userId, deviceId, frame) =>
    toDevice(userId, deviceId, frame) || send(userId, deviceId, { kind: 'text', userId, deviceId, frame });

  const post = async ({ userId, deviceId, frame }: Mail): Promise<void> => {
    if (await sendText(userId, deviceId, frame)) return;
    await relay.keepMail(userId, deviceId, frame);
    // It may have come back between the two: then nobody else would look into its mail again.
    const present = await whereabouts.presentNow(userId);
    if (!present.some((other) => other.deviceId === deviceId)) return;
    for (const waiting of await relay.takeMail(userId, deviceId)) {
      if (!(await sendText(userId, deviceId, waiting))) await relay.keepMail(userId, deviceId, waiting);
    }
  };

  const postOrKeep = async (mail: Mail): Promise<void> => {
    try {
      await post(mail);
    } catch (error) {
      logger.warn({ err: error, userId: mail.userId }, 'an answer waits for the relay');
      unposted.push(mail);
      unpostedBytes += mail.frame.length;
      while (unpostedBytes > MOST_UNPOSTED_BYTES) unpostedBytes -= unposted.shift()?.frame.length ?? 0;
    }
  };

  return {
    sendText,
    sendBinary: async (userId, deviceId, frame) =>
      toDevice(userId, deviceId, frame) || send(userId, deviceId, { kind: 'binary', userId, deviceId, frame }),
    sendMail: (userId, deviceId, frame) => postOrKeep({ userId, deviceId, frame, until: now() + MAIL_SECONDS * 1_000 }),
    retry: async () => {
      const due = unposted.filter(({ until }) => until > now());
      unposted = [];
      unpostedBytes = 0;
      for (const mail of due) await postOrKeep(mail);
    },
    unposted: () => unposted.length,
  };
};
