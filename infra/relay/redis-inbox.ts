import type { Redis } from 'ioredis';
import type { Logger } from '../../src/kernel/logger.ts';

type InboxOptions = Readonly<{
  /** The connection for commands; messages come over another one like it. */
  redis: Redis;
  channel: string;
  logger: Logger;
  take: (message: Buffer) => void;
  /** Told when messages may have been missed and both connections can be used again. */
  interrupted: () => void;
  /** How often it is looked whether the connections are still alive. */
  checkEveryMs: number;
}>;

/** The messages of a channel. */
export type Inbox = Readonly<{
  close: () => void;
}>;

/** Listens to a channel, again whenever the connection was lost. */
export const redisInbox = ({ redis, channel, logger, take, interrupted, checkEveryMs }: InboxOptions): Inbox => {
  const subscriber = redis.duplicate({ enableAutoPipelining: false, autoResubscribe: false });
  let isListening = false;
  let hasListened = false;
  // Also at the start: devices may have come before the first message could arrive.
  let wasAway = true;

  const tell = (): void => {
    if (!wasAway || !isListening || redis.status !== 'ready') return;
    wasAway = false;
    if (hasListened) logger.info({}, 'messages between instances may have been missed');
    hasListened = true;
    interrupted();
  };
  const away = (): void => {
    wasAway = true;
  };
  // What goes wrong with both is logged by the connection for commands.
  const ignore = (): void => undefined;

  subscriber.on('error', ignore);
  subscriber.on('close', () => {
    isListening = false;
    away();
  });
  subscriber.on('ready', () => {
    subscriber.subscribe(channel).then(
      () => {
        isListening = true;
        tell();
      },
      () => subscriber.disconnect(true),
    );
  });
  subscriber.on('messageBuffer', (_channel: Buffer, message: Buffer) => take(message));
  redis.on('close', away);
  redis.on('ready', tell);

  // A connection on which nothing ever comes looks the same as one that is cut off somewhere on the way.
  const asked = new Set<Redis>();
  const ask = (connection: Redis): void => {
    if (connection.status !== 'ready' || asked.has(connection)) return;
    asked.add(connection);
    const done = (): void => void asked.delete(connection);
    connection.ping().then(done, () => {
      connection.once('ready', done);
      connection.disconnect(true);
    });
  };
  const check = setInterval(() => [subscriber, redis].forEach(ask), checkEveryMs);
  check.unref();

  return {
    close: () => {
      clearInterval(check);
      redis.off('close', away).off('ready', tell);
      subscriber.disconnect();
    },
  };
};
