import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Usage } from '../../../src/kernel/usage.ts';
import { wires, type Counts } from './wire-formats.ts';

/** Where an answer stands still until its client has left: after so many words, or around them. */
export type Point = 'before the head' | 'after the head' | 'begun' | 'ended' | number;

/**
 * What is paid for an answer that is left. `sent`: what was sent until the connection closed. `all`: the whole answer,
 * whatever the client does. `made`: what was made until the connection closed, which is known under the answer's id.
 */
export type BillingRule = 'sent' | 'all' | 'made';

export type Case = Readonly<{
  point: Point;
  /** Tokens of the prompt, and how many of them the provider had in its cache. */
  prompt: number;
  cached: number;
  words: readonly string[];
  /** How many words are made but not sent yet when the answer stands still. */
  ahead: number;
}>;

export type MeteringUpstream = Readonly<{
  url: string;
  /** Resolves with the request's id when the answer to a case stands still. */
  standsStill: (index: number) => Promise<string>;
  /** The client of a case has left. */
  left: (index: number) => void;
  /** What this provider bills for each request; nothing for those that are not in it. */
  bills: ReadonlyMap<string, Usage>;
  /** Answers under way. */
  open: () => number;
  stop: () => Promise<void>;
}>;

const CASE = /Case (\d+)\b/;

/** A provider's double on loopback that keeps its own meter, by its own rule. */
export const meteringUpstream = async (
  provider: string,
  rule: BillingRule,
  cases: readonly Case[],
): Promise<MeteringUpstream> => {
  const wire = wires[provider]!;
  const bills = new Map<string, Usage>();
  const byAnswer = new Map<string, string>();
  const asked = new Set<string>();
  const stills = cases.map(() => Promise.withResolvers<string>());
  const leaves = cases.map(() => Promise.withResolvers<undefined>());
  let open = 0;

  const bill = (requestId: string, { prompt, cached, words }: Counts, complete: boolean): void => {
    bills.set(requestId, {
      inputUncached: prompt - cached,
      inputCachedRead: cached,
      inputCacheWrite: 0,
      outputVisible: words,
      outputReasoning: 0,
      source: 'final',
      complete,
    });
  };

  const answer = async (index: number, requestId: string, response: ServerResponse): Promise<void> => {
    const { point, prompt, cached, words, ahead } = cases[index]!;
    const id = `gen-${index}`;
    const closed = once(response, 'close');
    byAnswer.set(id, requestId);
    const counts = (sent: number): Counts => ({ prompt, cached, words: sent });
    if (rule === 'all') bill(requestId, counts(words.length), true);

    /** Where the client leaves; true when that ends the answer. */
    const stand = async (sent: number): Promise<boolean> => {
      stills[index]!.resolve(requestId);
      if (rule === 'all') {
        await leaves[index]!.promise;
        return false;
      }
      await closed;
      const made = rule === 'made' && sent > 0 ? Math.min(words.length, sent + ahead) : sent;
      // A cache that nobody was told of is not used either.
      const told = point === 'after the head' || (provider !== 'anthropic' && rule === 'sent') ? 0 : cached;
      bill(requestId, { prompt, cached: told, words: made }, false);
      return true;
    };

    if (point === 'before the head') {
      stills[index]!.resolve(requestId);
      await (rule === 'all' ? leaves[index]!.promise : closed);
      if (rule !== 'all') return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    if (point === 'after the head' && (await stand(0))) return;
    response.write(wire.begin(id, counts(0)));
    if (point === 'begun' && (await stand(0))) return;
    for (const [place, word] of words.entries()) {
      response.write(wire.word(id, word, counts(place + 1)));
      if (point === place + 1 && (await stand(place + 1))) return;
    }
    bill(requestId, counts(words.length), true);
    response.end(wire.end(id, counts(words.length)));
    await closed;
  };

  /** What an answer used, for who asks afterwards: not known when it is asked for the first time. */
  const lookUp = (id: string, response: ServerResponse): void => {
    const usage = bills.get(byAnswer.get(id) ?? '');
    const isKnown = usage !== undefined && asked.has(id);
    asked.add(id);
    response.writeHead(isKnown ? 200 : 404, { 'content-type': 'application/json' });
    const body = isKnown
      ? {
          data: {
            id,
            cancelled: true,
            native_tokens_prompt: usage.inputUncached + usage.inputCachedRead,
            native_tokens_cached: usage.inputCachedRead,
            native_tokens_completion: usage.outputVisible,
          },
        }
      : { error: { code: 404, message: 'not found' } };
    response.end(JSON.stringify(body));
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://local');
    if (url.pathname.endsWith('/generation')) return lookUp(url.searchParams.get('id') ?? '', response);
    const [, index] = CASE.exec(await text(request)) ?? [];
    await answer(Number(index), String(request.headers['x-request-id']), response);
  };

  const server = createServer((request, response) => {
    open += 1;
    void handle(request, response).finally(() => {
      open -= 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    standsStill: (index) => stills[index]!.promise,
    left: (index) => leaves[index]!.resolve(undefined),
    bills,
    open: () => open,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
