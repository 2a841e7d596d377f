import { streamOf, typeOf } from '../wire/record.ts';

/** Picks events of the log by stream name or event type: any of the prefixes, or the expression. */
export type FilterSpec = { on: 'stream' | 'type'; prefixes: readonly string[]; regex: string };

/** Whether a stored record is wanted. */
export type EventFilter = (record: Buffer) => boolean;

/** Compiles a filter; throws a SyntaxError when the expression is not one. */
export const compileFilter = ({ on, prefixes, regex }: FilterSpec): EventFilter => {
  const read = on === 'stream' ? streamOf : typeOf;
  const expression = regex === '' ? undefined : new RegExp(regex);
  return (record) => {
    const name = read(record);
    return expression?.test(name) ?? prefixes.some((prefix) => name.startsWith(prefix));
  };
};
