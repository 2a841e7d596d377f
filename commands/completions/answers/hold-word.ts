import { CREDIT_ACCOUNT, type CreditAccountEvent } from '../../../src/events/credit-account/credit-account.events.ts';
import { creditAccountUpcasters } from '../../../src/events/credit-account/credit-account.upcasters.ts';
import { streamOf } from '../../../src/kernel/aggregate.ts';
import type { EventStore } from '../../../src/kernel/event-store.ts';
import type { IsoTime } from '../../../src/kernel/message.ts';
import { microOf, type MicroUsd } from '../../../src/kernel/money.ts';
import { upcast } from '../../../src/kernel/upcasting.ts';
import type { Usage } from '../../../src/kernel/usage.ts';

/** What the account's stream says of one request's money. */
export type HoldWord =
  | Readonly<{ kind: 'none' }>
  | Readonly<{ kind: 'held'; leaseUntil: IsoTime }>
  | Readonly<{ kind: 'charged'; charged: MicroUsd; usage: Usage }>
  /** `final`: no charge can follow; else one may, of an owner that comes back late. */
  | Readonly<{ kind: 'given_back'; final: boolean }>;

const PAGE = 100;
/** Instances' clocks may differ by as much. */
const SKEW_MS = 60_000;

const wordOf = (event: CreditAccountEvent): HoldWord => {
  switch (event.type) {
    case 'FundsReserved':
    case 'ReservationExtended':
      return { kind: 'held', leaseUntil: event.data.leaseUntil };
    case 'ReservationCaptured': {
      const { metered, writtenOff } = event.data;
      return { kind: 'charged', charged: microOf(metered.cost) - microOf(writtenOff), usage: metered.usage };
    }
    case 'ReservationReleased':
      return { kind: 'given_back', final: true };
    case 'ReservationLeaseExpired':
      return { kind: 'given_back', final: false };
    default:
      return { kind: 'none' };
  }
};

const isOf = ({ data }: CreditAccountEvent, requestId: string): boolean =>
  'reservationId' in data && data.reservationId === requestId;

/** The newest word on a request's money: the account is read from its end back to when the request began. */
export const holdWord = async (
  store: Pick<EventStore, 'read'>,
  { userId, requestId, startedAt }: Readonly<{ userId: string; requestId: string; startedAt: IsoTime }>,
): Promise<HoldWord> => {
  const stream = streamOf({ category: CREDIT_ACCOUNT }, userId);
  const oldest = Date.parse(startedAt) - SKEW_MS;
  let from: bigint | undefined;
  for (;;) {
    const page = await store.read(stream, {
      backwards: true,
      maxCount: PAGE,
      ...(from === undefined ? {} : { from }),
    });
    for (const stored of page) {
      const event = upcast(creditAccountUpcasters, stored) as CreditAccountEvent;
      if (isOf(event, requestId)) return wordOf(event);
      if (Date.parse(event.data.at) < oldest) return { kind: 'none' };
    }
    const last = page.at(-1);
    if (last === undefined || last.revision === 0n) return { kind: 'none' };
    from = last.revision - 1n;
  }
};
