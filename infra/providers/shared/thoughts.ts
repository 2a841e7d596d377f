import { thoughtOf } from '../../../src/kernel/thought-details.ts';
import type { Thought, UpstreamEvent } from '../../../src/kernel/upstream.ts';
import { listOf, objectOf } from './json-members.ts';

type Open = Readonly<{ thought: Thought; index: unknown }>;

const goesOn = ({ thought, index }: Open, next: Open): boolean =>
  thought.kind === next.thought.kind &&
  thought.kind !== 'encrypted' &&
  thought.signature === undefined &&
  index === next.index;

const isSealed = ({ thought }: Open): boolean => thought.kind === 'encrypted' || thought.signature !== undefined;

/** Puts the thoughts of an answer together, which may come in pieces. */
export const thoughtGatherer = () => {
  const all: Open[] = [];
  const takeOne = (detail: unknown): void => {
    const thought = thoughtOf(detail);
    if (thought === undefined) return;
    const next = { thought, index: objectOf(detail)['index'] };
    const last = all.at(-1);
    if (last === undefined || !goesOn(last, next)) {
      all.push(next);
      return;
    }
    const content = last.thought.content + thought.content;
    all[all.length - 1] = { ...last, thought: { ...last.thought, ...thought, content } };
  };
  return {
    take: (details: unknown): void => listOf(details).forEach(takeOne),
    /** All thoughts, when one of them is sealed: what anybody can read, nobody wants back. */
    whole: (): readonly UpstreamEvent[] =>
      all.some(isSealed) ? all.map(({ thought }): UpstreamEvent => ({ type: 'thought', thought })) : [],
  };
};
