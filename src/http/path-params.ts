import { z } from 'zod';
import { isUuid } from '../kernel/ids.ts';

const uuid = z
  .string()
  .refine(isUuid, 'must be a UUID')
  .transform((text) => text.toLowerCase());

/** A `params` schema for a path whose named parameters are UUIDs, which reach the handler in lower case. */
export const uuidParams = (...names: readonly string[]): z.ZodType<Readonly<Record<string, string>>> =>
  z.object(Object.fromEntries(names.map((name) => [name, uuid])));
