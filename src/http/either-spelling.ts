import { z } from 'zod';

const SNAKE = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/;

const camel = (name: string): string =>
  SNAKE.test(name) ? name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) : name;

const inCamelCase = (given: unknown): unknown => {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  const members = Object.entries(given);
  const others = members.filter(([name]) => camel(name) !== name).map(([name, value]) => [camel(name), value] as const);
  return { ...Object.fromEntries(others), ...Object.fromEntries(members) };
};

/**
 * Takes members in snake_case for those in camelCase, which the schema knows; of both spellings camelCase counts. Only
 * the outermost object: what is inside is the client's own.
 */
export const eitherSpelling = <T>(schema: z.ZodType<T>): z.ZodType<T> => z.preprocess(inCamelCase, schema);
