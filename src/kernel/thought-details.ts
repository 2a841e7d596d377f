import type { Thought } from './upstream.ts';

/** Where each kind of thought keeps what it says, in the form that the field knows as `reasoning_details`. */
const CONTENT = { text: 'text', summary: 'summary', encrypted: 'data' } as const;

const kindOf = (type: unknown): Thought['kind'] | undefined => {
  const kind = typeof type === 'string' ? /^reasoning\.(text|summary|encrypted)$/.exec(type)?.[1] : undefined;
  return kind as Thought['kind'] | undefined;
};

/** A thought as one of `reasoning_details`, which clients send back as they are. */
export const detailOf = ({ kind, content, ...named }: Thought, index: number): object => ({
  type: `reasoning.${kind}`,
  [CONTENT[kind]]: content,
  ...named,
  index,
});

/** Reads one of `reasoning_details`, whole or a piece; undefined when it is none. */
export const thoughtOf = (detail: unknown): Thought | undefined => {
  if (typeof detail !== 'object' || detail === null) return undefined;
  const members = detail as Readonly<Record<string, unknown>>;
  const kind = kindOf(members['type']);
  if (kind === undefined) return undefined;
  const { [CONTENT[kind]]: content = '', signature, id, format } = members;
  if (content !== null && typeof content !== 'string') return undefined;
  const given = Object.entries({ signature, id, format }).filter(
    ([, value]) => typeof value === 'string' && value !== '',
  );
  return { kind, content: content ?? '', ...Object.fromEntries(given) };
};
