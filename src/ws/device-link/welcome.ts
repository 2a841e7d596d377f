import { isoOf, type Clock } from '../../kernel/clock.ts';
import type { NumberedEvent, Relay, Replay } from '../../kernel/relay.ts';
import type { Registered } from './connections.ts';
import { importanceOf } from './event-rules.ts';
import { eventFrame } from './frames.ts';
import type { Terminals } from './terminals.ts';

type Deps = Readonly<{ relay: Relay; terminals: Pick<Terminals, 'restore'>; clock: Clock }>;

/** Tells devices what they missed. What comes meanwhile must be held back in their feeds. */
export type Welcome = Readonly<{
  /**
   * For a device that has just registered: what its last connection has left, what came after an event, and its mail.
   * Rejects when the relay does not answer.
   */
  greet: (connection: Registered, after: number, left: readonly string[]) => Promise<void>;
  /** For a device for which mail has come. Rejects when the relay does not answer. */
  mail: (connection: Registered) => Promise<void>;
  /** For a device that stayed, while the relay was away for a moment. */
  catchUp: (connection: Registered) => Promise<void>;
}>;

export const welcome = ({ relay, terminals, clock }: Deps): Welcome => {
  const gapFrame = (lastEventId: number, { oldest, latest }: Replay): string =>
    eventFrame({
      eventType: 'event-replay-gap',
      payload: { lastEventId, oldestBufferedId: oldest ?? latest, latestBufferedId: latest },
      sourceDeviceId: null,
      at: isoOf(clock()),
    });

  const replay = async (connection: Registered, after: number): Promise<void> => {
    const { caller, entry, outbox } = connection;
    const missed = await relay.replay(caller.userId, after);
    if (missed.gap) outbox.send(gapFrame(after, missed), 'event');
    const isOthers = ({ sourceDeviceId }: NumberedEvent): boolean => sourceDeviceId !== entry.presence.deviceId;
    for (const event of missed.events.filter(isOthers)) {
      await outbox.room();
      outbox.send(eventFrame(event), importanceOf(event.eventType));
    }
    entry.feed.replayed(
      missed.events.map(({ eventId }) => eventId),
      missed.latest,
    );
  };

  /** As fast as the device reads. What is left when it goes is handed back. */
  const sendKept = async ({ outbox }: Registered, frames: readonly string[]): Promise<void> => {
    for (const frame of frames) {
      await outbox.room();
      outbox.send(frame, 'kept');
    }
    outbox.ask();
  };

  const mail: Welcome['mail'] = async (connection) => {
    const { caller, entry } = connection;
    await sendKept(connection, await relay.takeMail(caller.userId, entry.presence.deviceId));
  };

  return {
    mail,
    greet: async (connection, after, left) => {
      const { entry } = connection;
      await sendKept(connection, left);
      await replay(connection, after);
      await mail(connection);
      if (entry.presence.role === 'desktop') await terminals.restore(connection);
    },
    catchUp: (connection) => replay(connection, connection.entry.feed.mark()),
  };
};
