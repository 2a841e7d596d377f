import { PREFIX, type Kind } from './objects.ts';
import type { World } from './world.ts';

const kindOf = (id: string): Kind | undefined =>
  (Object.keys(PREFIX) as Kind[]).find((kind) => id.startsWith(PREFIX[kind]));

const expandPath = (world: World, value: unknown, path: readonly string[]): unknown => {
  if (typeof value === 'string') {
    const kind = kindOf(value);
    const found = kind === undefined ? undefined : world.get(kind, value);
    return found === undefined ? value : expandPath(world, found, path);
  }
  if (Array.isArray(value)) return value.map((item: unknown) => expandPath(world, item, path));
  const [head, ...rest] = path;
  if (head === undefined || typeof value !== 'object' || value === null || !(head in value)) return value;
  const inner = (value as Readonly<Record<string, unknown>>)[head];
  return { ...value, [head]: expandPath(world, inner, rest) };
};

/** Puts objects in the places of their ids, where the caller asked for it. */
export const expanded = (world: World, answer: unknown, paths: readonly string[]): unknown =>
  paths.reduce((value, path) => expandPath(world, value, path.split('.')), answer);
