import type { Command, IsoTime } from '../../src/kernel/message.ts';
import type { PaymentNotice } from '../../src/kernel/payments.ts';

/** Key `receive`: the stream is named after the notice. */
export type ReceiveNotice = Command<'ReceiveNotice', Readonly<{ notice: PaymentNotice; at: IsoTime }>>;
/** Its work is done. Says nothing when that was said. Key `apply:<n>`. */
export type ApplyNotice = Command<'ApplyNotice', Readonly<{ outcome: string; at: IsoTime }>>;
/** There is nothing to do. Key `ignore:<n>`. */
export type IgnoreNotice = Command<'IgnoreNotice', Readonly<{ why: string; at: IsoTime }>>;
/** Its work failed; it is tried again later, and parked after three days. Key `fail:<n>`. */
export type FailNotice = Command<'FailNotice', Readonly<{ code: string; at: IsoTime }>>;
/** Its work cannot be done by trying again. Key `park:<n>`. */
export type ParkNotice = Command<'ParkNotice', Readonly<{ code: string; at: IsoTime }>>;
/** An administrator has it worked on again; refused with not_found when it is not there. Key `replay:<request>`. */
export type ReplayNotice = Command<'ReplayNotice', Readonly<{ by: string; at: IsoTime }>>;

export type NoticeCommand = ReceiveNotice | ApplyNotice | IgnoreNotice | FailNotice | ParkNotice | ReplayNotice;
