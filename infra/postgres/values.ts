import pg from 'pg';
import type { ColumnType, Value } from '../../src/kernel/table.ts';

const INT8 = 20;
const TIMESTAMPTZ = 1184;

/** `2026-11-02 09:00:01.25+00`, which is what Postgres writes in UTC, as `2026-11-02T09:00:01.250000Z`. */
const isoFromTimestamptz = (text: string): string => {
  const match = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00$/.exec(text);
  // `infinity` and years before Christ: no event has them.
  if (match === null) return text;
  return `${match[1] ?? ''}T${match[2] ?? ''}.${(match[3] ?? '').padEnd(6, '0')}Z`;
};

const standardParser = pg.types.getTypeParser as (oid: number, format?: string) => unknown;

/** How column values come out of the driver: bigint exact, timestamptz as ISO text in UTC with six decimals. */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (format !== 'binary' && oid === INT8) return BigInt;
    if (format !== 'binary' && oid === TIMESTAMPTZ) return isoFromTimestamptz;
    return standardParser(oid, format);
  }) as pg.CustomTypesConfig['getTypeParser'],
};

/** Postgres holds neither NUL nor half a surrogate pair; a text from outside with one must not stop a read model. */
const storable = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd');

const deeplyStorable = (value: unknown): unknown => {
  if (typeof value === 'string') return storable(value);
  if (Array.isArray(value)) return value.map(deeplyStorable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [storable(key), deeplyStorable(inner)]));
};

const jsonText = (value: unknown): string => {
  const text = JSON.stringify(value);
  return /\\u(0000|d[89a-f])/i.test(text) ? JSON.stringify(deeplyStorable(value)) : text;
};

/** A value as an element of the array parameter of its column's type. */
export const parameterOf = (type: ColumnType, value: Value | undefined): string | number | boolean | null => {
  if (value === null || value === undefined) return null;
  if (type === 'jsonb') return jsonText(value);
  if (typeof value === 'string') return storable(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'object') throw new Error(`an object is no value for a column of type ${type}`);
  return value;
};

/** Escapes of JSON that arrays of Postgres do not have, among them all that a text of Postgres cannot hold. */
const ANOTHER_ESCAPE = /\\[bfnrtu]/;

const plainOf = (type: ColumnType, value: Value | undefined): string | number | boolean | null => {
  if (value === undefined || value === null) return null;
  if (type === 'jsonb') return JSON.stringify(value);
  return typeof value === 'string' ? value : parameterOf(type, value);
};

/**
 * The values of a column as one array parameter. Most are written as JSON writes them, in one go: its quotes and
 * backslashes are those of Postgres.
 */
export const arrayParameter = (
  type: ColumnType,
  values: readonly (Value | undefined)[],
): string | ReturnType<typeof parameterOf>[] => {
  const text = JSON.stringify(values.map((value) => plainOf(type, value)));
  if (ANOTHER_ESCAPE.test(text)) return values.map((value) => parameterOf(type, value));
  return `{${text.slice(1, -1)}}`;
};

/** The cast that an array parameter of a column needs; JSON travels as text and is cast a row. */
export const arrayType = (type: ColumnType): string => (type === 'jsonb' ? 'text[]' : `${type}[]`);
