import type { Delivery, RelayEvent } from '../../src/kernel/relay.ts';

/**
 * How deliveries travel: a line of JSON that says what it is and for whom, then the frame as it is. So bytes stay bytes,
 * and a frame is not parsed on the way.
 */
type Head =
  | Readonly<{ kind: 'text' | 'binary'; userId: string; deviceId: string }>
  | Readonly<{ kind: 'event'; userId: string; eventId: number }>
  | Exclude<Delivery, Readonly<{ kind: 'text' | 'binary' | 'event' }>>
  | Missed;

/** Events of a user were lost, so that every instance with one of the user's devices has to look again. */
type Missed = Readonly<{ kind: 'missed'; userId: string }>;

const LINE_END = '\n';

const line = (head: Head): string => JSON.stringify(head) + LINE_END;

/** Where the script that numbers events puts the id. */
const headOfEvent = (userId: string): string => `{"kind":"event","userId":${JSON.stringify(userId)},"eventId":`;

/** What comes before and after the id of an event that is on its way. */
export const aroundEventId = (userId: string, event: string): readonly [string, string] => [
  headOfEvent(userId),
  `}${LINE_END}${event}`,
];

export const missedForm = (userId: string): string => line({ kind: 'missed', userId });

/** A delivery as it travels. */
export const deliveryForm = (delivery: Delivery): string | Buffer => {
  switch (delivery.kind) {
    case 'text': {
      const { frame, ...head } = delivery;
      return line(head) + frame;
    }
    case 'binary': {
      const { frame, ...head } = delivery;
      return Buffer.concat([Buffer.from(line(head)), frame]);
    }
    case 'event': {
      const { eventId, ...event } = delivery.event;
      const [before, after] = aroundEventId(delivery.userId, JSON.stringify(event));
      return before + String(eventId) + after;
    }
    case 'mail':
    case 'routes':
    case 'superseded':
      return line(delivery);
  }
};

/** The delivery that travelled. Throws for what is none. */
export const deliveryOf = (form: Buffer): Delivery | Missed => {
  const end = form.indexOf(LINE_END);
  const head = JSON.parse(form.toString('utf8', 0, end)) as Head;
  const body = form.subarray(end + 1);
  switch (head.kind) {
    case 'text':
      return { kind: 'text', userId: head.userId, deviceId: head.deviceId, frame: body.toString('utf8') };
    case 'binary':
      return { kind: 'binary', userId: head.userId, deviceId: head.deviceId, frame: body };
    case 'event': {
      const event = JSON.parse(body.toString('utf8')) as RelayEvent;
      return { kind: 'event', userId: head.userId, event: { ...event, eventId: head.eventId } };
    }
    case 'mail':
    case 'routes':
    case 'superseded':
    case 'missed':
      return head;
    default:
      throw new Error('this is no delivery');
  }
};
