import type { Logger } from '../../kernel/logger.ts';
import { MAIL_SECONDS, type Delivery, type NumberedEvent, type Relay } from '../../kernel/relay.ts';
import { SUPERSEDED } from './close-codes.ts';
import type { Connections, Registered } from './connections.ts';
import { eventFrame, goneFrame, isCall, isCallOrAnswer } from './frames.ts';
import { unposted } from './unposted.ts';
import type { Whereabouts } from './whereabouts.ts';

/** Brings frames to devices, here or on another instance. */
export type PostOffice = Readonly<{
  /** False when the device is not connected here. */
  sendHere: (userId: string, deviceId: string, frame: string | Uint8Array) => boolean;
  /** False when the device cannot be reached. Rejects when the relay does not answer. */
  sendText: (userId: string, deviceId: string, frame: string) => Promise<boolean>;
  sendBinary: (userId: string, deviceId: string, frame: Uint8Array) => Promise<boolean>;
  /** Brings an answer, or keeps it for a while when the device is away. False: there is no room for it. Never rejects. */
  sendMail: (userId: string, deviceId: string, frame: string) => Promise<boolean>;
  /** Keeps answers until the device fetches them, which it is told to do when it is there. Never rejects. */
  keepMail: (userId: string, deviceId: string, frames: readonly string[]) => Promise<void>;
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
  /** Told of every event of the server's own about a device that is heard here, after the devices have been. */
  heard: (userId: string, event: NumberedEvent) => void;
  /** Told of a device for which there is mail. */
  mailCame: (connection: Registered) => void;
  now: () => number;
  logger: Logger;
}>;

/** Takes the relay's deliveries for the connections of this process. */
export const postOffice = (deps: Deps): PostOffice => {
  const { relay, connections, whereabouts, now, logger } = deps;
  const waiting = unposted(now);

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

  const mailFor = (userId: string, deviceId: string): void => {
    const here = connections.find(userId, deviceId);
    if (here !== undefined) deps.mailCame(here);
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
      case 'mail':
        mailFor(userId, delivery.deviceId);
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
        toAll(userId, delivery.event);
        deps.heard(userId, delivery.event);
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

  /** Where the device is now it is told to fetch its mail: nobody else would look into it again. */
  const tell = async (userId: string, deviceId: string): Promise<void> => {
    const there = (await whereabouts.presentNow(userId)).find((other) => other.deviceId === deviceId);
    if (there === undefined) return;
    if (there.instance === relay.instance) mailFor(userId, deviceId);
    else await relay.send(there, { kind: 'mail', userId, deviceId });
  };

  /** Until the relay is back. */
  const hold = (userId: string, deviceId: string, frame: string, until: number): boolean => {
    const { shortened, isKept } = waiting.keep(userId, { deviceId, frame, instead: goneFrame(frame), until });
    if (shortened > 0 || !isKept) {
      logger.warn({ userId, deviceId, shortened, isKept }, 'too many answers wait for the relay: some are gone');
    }
    return isKept;
  };

  /** Rejects when the relay does not answer. */
  const keep = async (userId: string, deviceId: string, frame: string): Promise<boolean> => {
    const { shortened, isKept } = await relay.keepMail(userId, deviceId, { frame, instead: goneFrame(frame) });
    if (shortened > 0 || !isKept) {
      logger.warn({ userId, deviceId, shortened, isKept }, 'too many answers wait for devices: some are gone');
    }
    return isKept;
  };

  const mailUntil = (): number => now() + MAIL_SECONDS * 1_000;

  const post = async (userId: string, deviceId: string, frame: string, until: number): Promise<boolean> => {
    try {
      if (await sendText(userId, deviceId, frame)) return true;
      const isKept = await keep(userId, deviceId, frame);
      await tell(userId, deviceId);
      return isKept;
    } catch (error) {
      logger.warn({ err: error, userId }, 'an answer waits for the relay');
      return hold(userId, deviceId, frame, until);
    }
  };

  return {
    sendHere: toDevice,
    sendText,
    sendBinary: async (userId, deviceId, frame) =>
      toDevice(userId, deviceId, frame) || send(userId, deviceId, { kind: 'binary', userId, deviceId, frame }),
    sendMail: (userId, deviceId, frame) => post(userId, deviceId, frame, mailUntil()),
    keepMail: async (userId, deviceId, frames) => {
      if (frames.length === 0) return;
      for (const frame of frames) {
        await keep(userId, deviceId, frame).catch(() => hold(userId, deviceId, frame, mailUntil()));
      }
      await tell(userId, deviceId).catch((error: unknown) => {
        logger.warn({ err: error, userId }, 'a device that may be back was not told of its mail');
      });
    },
    retry: async () => {
      for (const { userId, deviceId, frame, until } of waiting.takeAll()) await post(userId, deviceId, frame, until);
    },
    unposted: waiting.size,
  };
};
