import type { DoubleState } from './state.ts';

/** What tests may turn. Times in milliseconds. */
export type Knobs = Readonly<{
  /** Before a notice is sent. */
  delay: number;
  /** At most this much more, by chance: notices overtake one another. */
  jitter: number;
  /** How often each notice is sent. */
  copies: number;
  /** How long a bank debit takes; -1: until it is told. */
  settle: number;
  /** Tax on top, in basis points; -1: by the country of the address. */
  tax: number;
  /** So many of the next API calls fail with status 500. */
  fail: number;
  /** So many of the next API calls are never answered. */
  hang: number;
  /** 1: payments are taken in euros whatever was asked. */
  foreign: number;
}>;

const USUAL: Knobs = { delay: 0, jitter: 0, copies: 1, settle: 3000, tax: -1, fail: 0, hang: 0, foreign: 0 };

const isKnob = (name: string): name is keyof Knobs => name in USUAL;

export type KnobBoard = Readonly<{
  read: (name: keyof Knobs) => number;
  turn: (settings: Readonly<Record<string, unknown>>) => Knobs;
  /** True while the knob counts; counts it down. */
  uses: (name: 'fail' | 'hang') => boolean;
}>;

/** The knobs, kept over restarts. */
export const knobBoard = (state: Pick<DoubleState, 'setting' | 'set'>): KnobBoard => {
  const read = (name: keyof Knobs): number => state.setting(`knob.${name}`) ?? USUAL[name];
  return {
    read,
    turn: (settings) => {
      for (const [name, value] of Object.entries(settings)) {
        if (isKnob(name) && typeof value === 'number' && Number.isInteger(value)) state.set(`knob.${name}`, value);
      }
      return Object.fromEntries(Object.keys(USUAL).map((name) => [name, read(name as keyof Knobs)])) as Knobs;
    },
    uses: (name) => {
      const left = read(name);
      if (left > 0) state.set(`knob.${name}`, left - 1);
      return left > 0;
    },
  };
};
