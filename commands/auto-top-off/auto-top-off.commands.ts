import type { Command, IsoTime } from '../../src/kernel/message.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';

/** How much may be bought by itself within 24 hours. */
export type TopOffCaps = Readonly<{ count: number; amountMinor: number }>;

/**
 * Begins to buy when nothing is open, nothing speaks against it and the caps leave room; says nothing else. Key
 * `trigger:<n>` with the number of earlier triggers.
 */
export type TriggerTopOff = Command<
  'TriggerTopOff',
  Readonly<{
    userId: string;
    balance: MicroUsd;
    threshold: MicroUsd;
    amountMinor: number;
    caps: TopOffCaps;
    at: IsoTime;
  }>
>;

/** The open trigger is done with. `final`: trying again would not help. Key `end:<triggerId>`. */
export type EndTopOff = Command<
  'EndTopOff',
  Readonly<{
    userId: string;
    triggerId: string;
    outcome: 'succeeded' | Readonly<{ code: string; final: boolean }>;
    at: IsoTime;
  }>
>;

/** Its user has set it anew: failures before that count no more. Key by the request. */
export type ResumeTopOff = Command<'ResumeTopOff', Readonly<{ userId: string; at: IsoTime }>>;

export type AutoTopOffCommand = TriggerTopOff | EndTopOff | ResumeTopOff;
