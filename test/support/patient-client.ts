import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** What one try came to: an answer, or none; `cut`: one that broke off, `late`: one that did not end in time. */
type Try =
  | Readonly<{ kind: 'answer'; status: number; retryAfter: string | undefined; body: string }>
  | Readonly<{ kind: 'unheard' | 'cut' | 'late' }>;

/**
 * What became of a request in the end. `served`: the whole answer; `short`: refused for want of credit; `lost`: charged,
 * but the answer is gone and the server says so; `odd`: anything else.
 */
export type Outcome = Readonly<{
  end: 'served' | 'short' | 'lost' | 'odd';
  status: number;
  body: string;
  /** What it met on the way there, try by try. */
  met: readonly string[];
}>;

/** One request as it is sent, to the same effect as often as it takes. */
export type Asked = Readonly<{ key: string; bodyOf: (streamed: boolean) => string; streamed?: boolean }>;

export type PatientClient = Readonly<{
  /** Asks one instance after the other, from `first` on, until it knows how its request has ended. */
  ask: (urls: readonly string[], first: number, asked: Asked) => Promise<Outcome>;
  close: () => void;
}>;

const PATH = '/api/llm/chat/completions';
/** The longest that one try may take: longer than the lease of a hold whose owner died. */
const LATE_MS = 90_000;
const AFTER_SILENCE_MS = 250;
const MOST_TRIES = 100;
const COME_AGAIN: ReadonlySet<number> = new Set([429, 502, 503]);

const textOf = async (response: IncomingMessage): Promise<string> => {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
};

const answered = async (response: IncomingMessage): Promise<Try> => {
  const { statusCode: status = 0, headers } = response;
  try {
    return { kind: 'answer', status, retryAfter: headers['retry-after'], body: await textOf(response) };
  } catch {
    return { kind: 'cut' };
  }
};

/** What an answer settles; undefined when it only asks to come again. */
const settledBy = (status: number, body: string): Outcome['end'] | undefined => {
  if (/USD were charged/.test(body)) return 'lost';
  if (COME_AGAIN.has(status)) return undefined;
  if (status === 402) return 'short';
  if (status !== 200) return 'odd';
  if (!body.startsWith('{')) return body.includes('event: stream_completed') ? 'served' : undefined;
  return 'served';
};

/** A client that does as it is told: it sends a request again, with the same key, until it has an answer to keep. */
export const patientClient = (token: string): PatientClient => {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: Infinity });

  const once = (url: string, key: string, body: string): Promise<Try> => {
    const { promise, resolve } = Promise.withResolvers<Try>();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key };
    const sent = request(`${url}${PATH}`, { agent, method: 'POST', headers }, (response) => {
      void answered(response).then(resolve);
    });
    const late = setTimeout(() => {
      resolve({ kind: 'late' });
      sent.destroy();
    }, LATE_MS);
    sent.on('error', () => resolve({ kind: 'unheard' }));
    sent.end(body);
    return promise.finally(() => clearTimeout(late));
  };

  const ask: PatientClient['ask'] = async (urls, first, asked) => {
    const met: string[] = [];
    let status = 0;
    let body = '';
    let streamed = asked.streamed === true;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const got = await once(urls[(first + tries) % urls.length] ?? '', asked.key, asked.bodyOf(streamed));
      if (got.kind !== 'answer') {
        met.push(got.kind);
        // A stream that broke off says no more however often it is asked for; in one piece its end is told.
        if (got.kind === 'cut') streamed = false;
        await delay(AFTER_SILENCE_MS);
        continue;
      }
      ({ status, body } = got);
      const end = settledBy(status, body);
      if (end !== undefined) return { end, status, body, met };
      const mustSayWhen = status === 429 || status === 503;
      met.push(mustSayWhen && got.retryAfter === undefined ? `${status} without Retry-After` : String(status));
      await delay(Number(got.retryAfter ?? 1) * 1_000);
    }
    return { end: 'odd', status, body, met };
  };

  return { ask, close: () => agent.destroy() };
};
