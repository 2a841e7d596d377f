import type { Asked } from './asked.ts';
import type { SandboxAnswer } from './answer.ts';

/** One answer on its way, with what has been said so far. */
export type Said = Readonly<{ id: string; created: number; asked: Asked; answer: SandboxAnswer }>;

/** How an answer is written in one API. Each function gives bytes for the wire. */
export type SurfaceOfSandbox = Readonly<{
  read: (body: unknown) => Asked | undefined;
  whole: (said: Said) => unknown;
  start: (said: Said) => string;
  chunk: (said: Said, text: string, index: number) => string;
  failure: (said: Said) => string;
  end: (said: Said) => string;
}>;

/** All that the answer says, and how many tokens that is. */
export const outputOf = ({ answer }: Said): Readonly<{ text: string; tokens: number }> => ({
  text: answer.chunks.map(({ text }) => text).join(''),
  tokens: answer.chunks.reduce((sum, { tokens }) => sum + tokens, 0),
});
