import { randomUUID } from 'node:crypto';
import type { ApiClient } from './api-client.ts';
import type { Outcome, PatientClient } from './patient-client.ts';

const bodyAfter = (latency: '2000' | '0001', streamed: boolean): string =>
  JSON.stringify({
    model: 'sandbox/echo',
    messages: [{ role: 'user', content: `[[sandbox latency=${latency} tokens=20]] all of us at the same time` }],
    max_tokens: 20,
    stream: streamed,
  });

/** A question that takes its time and always costs the same, as the body of a request. */
export const bodyOf = (streamed: boolean): string => bodyAfter('2000', streamed);
/** One that costs the same, and is answered at once. */
export const quickBodyOf = (streamed: boolean): string => bodyAfter('0001', streamed);

/** Somebody with requests under way. */
export type Person = Readonly<{ userId: string; client: PatientClient; api: ApiClient }>;

/** Requests under way. */
export type Wave = Readonly<{ outcomes: Promise<readonly Outcome[]>; decided: () => number }>;

/** Sends requests at the same time. */
export const wave = ({ client }: Person, urls: readonly string[], count: number): Wave => {
  let decided = 0;
  const outcomes = Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const outcome = await client.ask(urls, n, { key: randomUUID(), bodyOf, streamed: n % 2 === 0 });
      decided += 1;
      return outcome;
    }),
  );
  return { outcomes, decided: () => decided };
};

/** The request that an answer is of. */
export const requestIdOf = ({ body }: Outcome): string => /"requestId":"([0-9a-f-]+)"/.exec(body)?.[1] ?? '';

/** Outcomes by how they ended. */
export const endsOf = (outcomes: readonly Outcome[]) => Object.groupBy(outcomes, ({ end }) => end);

/** How often each word came. */
export const tallied = (words: readonly string[]): string =>
  Object.entries(Object.groupBy(words, (word) => word))
    .map(([word, all]) => `${all?.length ?? 0} ${word}`)
    .join(', ');
