import type { IsoTime } from '../../kernel/message.ts';
import type { MicroText } from '../../kernel/money.ts';

/** A part of an amount and the lot that it was taken from or goes back to. */
export type Allocation = Readonly<{
  lotId: string;
  m: MicroText;
  /** Absent: the lot is of promo credit. */
  kind?: 'paid';
}>;

/** The account right after the event: what the lots still hold, what is on hold, what is owed. */
export type Totals = Readonly<{ paid: MicroText; promo: MicroText; held: MicroText; shortfall: MicroText }>;

/** What every event of an account says beside its own matter. */
export type Said<D> = D &
  Readonly<{
    at: IsoTime;
    after: Totals;
    /** The month (`2026-01`) that it is booked in, where that is not the month of `at`: that one was closed already. */
    bookedIn?: string;
  }>;
