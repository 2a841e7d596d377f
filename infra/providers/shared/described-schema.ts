import type { ResponseFormat } from '../../../src/kernel/upstream.ts';

/** The schema of an answer, with its description inside, for providers that have no other place for it. */
export const describedSchema = ({
  schema,
  description,
}: Extract<ResponseFormat, { type: 'json_schema' }>): Readonly<Record<string, unknown>> =>
  description === undefined ? schema : { description, ...schema };
