import { randomUUID } from 'node:crypto';
import type { Delivery, DeviceRole, NumberedEvent, Presence, Relay, RelayEvent } from '../../src/kernel/relay.ts';
import { eventually } from '../support/eventually.ts';

/** One instance, and what it was handed. */
export type Attached = Readonly<{ relay: Relay; deliveries: Delivery[]; interruptions: () => number }>;

/** Listens to a relay from now on. */
export const attached = (relay: Relay): Attached => {
  const deliveries: Delivery[] = [];
  let interruptions = 0;
  relay.onDelivery((delivery) => void deliveries.push(delivery));
  relay.onInterruption(() => {
    interruptions += 1;
  });
  return { relay, deliveries, interruptions: () => interruptions };
};

/** Three instances on one store, and a way to let time go by. */
export type Relays = Readonly<{
  all: readonly [Attached, Attached, Attached];
  advance: (milliseconds: number) => Promise<void>;
}>;

export const presenceOn = (
  { relay: { instance } }: Attached,
  given: Partial<Pick<Presence, 'deviceId' | 'since'>> & Readonly<{ role?: DeviceRole }> = {},
): Presence => ({
  deviceId: given.deviceId ?? randomUUID(),
  connectionId: randomUUID(),
  instance,
  role: given.role ?? 'desktop',
  since: given.since ?? 1,
});

export const eventSaying = (payload: unknown): RelayEvent => ({
  eventType: 'job:created',
  payload,
  sourceDeviceId: null,
  at: '2026-01-01T00:00:00.000Z',
});

/** The events of a user that an instance was handed. */
export const eventsAt = ({ deliveries }: Attached, userId: string): readonly NumberedEvent[] =>
  deliveries.flatMap((delivery) => (delivery.kind === 'event' && delivery.userId === userId ? [delivery.event] : []));

/** Resolves when everything that was sent to an instance before has arrived: messages do not overtake one another. */
export const settled = async (from: Attached, to: Attached): Promise<void> => {
  const frame = randomUUID();
  const presence = presenceOn(to);
  await eventually(`${to.relay.instance} can be reached`, async () =>
    (await from.relay.send(presence, { kind: 'text', userId: 'fence', deviceId: 'fence', frame })) ? true : undefined,
  );
  await eventually('what was sent arrives', () =>
    to.deliveries.some((delivery) => delivery.kind === 'text' && delivery.frame === frame) ? true : undefined,
  );
};

/** Resolves when everything that was sent to any instance before has arrived. */
export const allSettled = async ({ all: [first, second, third] }: Relays): Promise<void> => {
  await Promise.all([settled(first, second), settled(second, third), settled(third, first)]);
};
