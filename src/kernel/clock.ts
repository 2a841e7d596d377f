import type { IsoTime } from './message.ts';

/** The time, as an input: the edge and the jobs own one, the deciders are told. */
export type Clock = () => Date;

/** The instant as events carry it. */
export const isoOf = (date: Date): IsoTime => date.toISOString();

/** `at` moved by `milliseconds`. */
export const isoAfter = (at: IsoTime, milliseconds: number): IsoTime => isoOf(new Date(Date.parse(at) + milliseconds));

/** True when `a` is at or before `b`. */
export const notAfter = (a: IsoTime, b: IsoTime): boolean => Date.parse(a) <= Date.parse(b);
