import type { Allocation } from '../../src/events/credit-account/credit-account.events.ts';
import { microOf, type MicroUsd } from '../../src/kernel/money.ts';
import type { Lot, Part } from './credits.state.ts';

/** An allocation as the account holds it. */
export const partsOf = (alloc: readonly Allocation[]): readonly Part[] =>
  alloc.map((part) => ({ ...part, m: microOf(part.m) }));

/** What an allocation comes to. */
export const total = (alloc: readonly Allocation[]): MicroUsd => alloc.reduce((sum, { m }) => sum + microOf(m), 0n);

const sumFor = (parts: readonly Part[], lotId: string): bigint =>
  parts.reduce((sum, part) => (part.lotId === lotId ? sum + part.m : sum), 0n);

const move = (lots: readonly Lot[], parts: readonly Part[], sign: 1n | -1n): readonly Lot[] =>
  parts.length === 0
    ? lots
    : lots.map((lot) => {
        const change = sumFor(parts, lot.lotId) * sign;
        return change === 0n ? lot : { ...lot, remaining: lot.remaining + change };
      });

/** The lots without what was taken from them. */
export const take = (lots: readonly Lot[], alloc: readonly Allocation[]): readonly Lot[] =>
  move(lots, partsOf(alloc), -1n);

/** The lots with what went back to them. */
export const giveBack = (lots: readonly Lot[], alloc: readonly Allocation[]): readonly Lot[] =>
  move(lots, partsOf(alloc), 1n);
