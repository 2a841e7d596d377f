import type { Allocation, ReservationCaptured } from '../../src/events/credit-account/credit-account.events.ts';
import { microOf, type MicroUsd } from '../../src/kernel/money.ts';

type Charge = Pick<ReservationCaptured['data'], 'captured' | 'overrun' | 'shortfall'>;

/** What an allocation comes to. */
export const sumOf = (alloc: readonly Allocation[]): MicroUsd => alloc.reduce((total, { m }) => total + microOf(m), 0n);

/** What a charge took from the user's lots, on hold or free. */
export const takenFromLots = ({ captured, overrun }: Charge): MicroUsd => sumOf(captured) + sumOf(overrun);

/** What a charge costs the user: taken or owed. What was written off is not the user's. */
export const chargedFor = (charge: Charge): MicroUsd => takenFromLots(charge) + microOf(charge.shortfall);
