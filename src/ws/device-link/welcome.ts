import { isoOf } from '../../kernel/clock.ts';
import type { Relay } from '../../kernel/relay.ts';
import type { Registered } from './connections.ts';
import { importanceOf } from './event-rules.ts';
import { eventFrame } from './frames.ts';
import type { Terminals } from './terminals.ts';

type Deps = Readonly<{ relay: Relay; terminals: Pick<Terminals, 'restore'> }>;

/** The highest id that a client can hold: a JSON number that is exact. */
const isEventId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

const gapFrame = (lastEventId: number, oldest: number | undefined, latest: number | undefined): string =>
  eventFrame({
    eventType: 'event-replay-gap',
    payload: {
      lastEventId,
      oldestBufferedId: oldest ?? latest ?? lastEventId,
      latestBufferedId: latest ?? lastEventId,
    },
    sourceDeviceId: null,
    at: isoOf(new Date()),
  });

const replay = async (relay: Relay, connection: Registered, lastEventId: number): Promise<void> => {
  const { caller, presence, outbox } = connection;
  const { events, gap, oldest, latest } = await relay.replay(caller.userId, lastEventId);
  if (gap) outbox.send(gapFrame(lastEventId, oldest, latest), 'event');
  for (const event of events) {
    if (event.eventId <= connection.sentEventId) continue;
    connection.sentEventId = event.eventId;
    if (event.sourceDeviceId !== presence.deviceId) outbox.send(eventFrame(event), importanceOf(event.eventType));
  }
};

/** Sends the events that came meanwhile, now that the older ones are out. */
export const release = (connection: Registered): void => {
  const held = connection.held ?? [];
  connection.held = undefined;
  for (const event of held) {
    if (event.eventId <= connection.sentEventId || event.sourceDeviceId === connection.presence.deviceId) continue;
    connection.sentEventId = event.eventId;
    connection.outbox.send(eventFrame(event), importanceOf(event.eventType));
  }
};

/** Looks again at what was kept, after the relay was away for a moment. */
export const catchUp = async (relay: Relay, connection: Registered): Promise<void> => {
  if (connection.sentEventId === 0) return;
  connection.held ??= [];
  await replay(relay, connection, connection.sentEventId);
  release(connection);
};

/** Gives a device that has just registered what it missed. A device that names no event gets none: it reads everything afresh. */
export const welcome = async (
  { relay, terminals }: Deps,
  connection: Registered,
  lastEventId: unknown,
): Promise<void> => {
  const { caller, presence, outbox } = connection;
  connection.sentEventId = 0;
  if (isEventId(lastEventId)) await replay(relay, connection, lastEventId);
  release(connection);
  for (const frame of await relay.takeMail(caller.userId, presence.deviceId)) outbox.send(frame, 'vital');
  if (presence.role === 'desktop') await terminals.restore(connection);
};
