import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { apiCalls } from './api.ts';
import type { ApiCall } from './api-shape.ts';
import { deliveries } from './deliveries.ts';
import { expanded } from './expanding.ts';
import { readForm, textsAt, type Form } from './form.ts';
import { knobBoard } from './knobs.ts';
import { pageCalls, type PageCall, type PageReply } from './page-calls.ts';
import { noticePage } from './pages.ts';
import { settleIntent } from './paying.ts';
import { doubleState } from './state.ts';
import { toldCalls } from './told.ts';
import { StripeRefusal, worldOf } from './world.ts';

export type StripeDouble = Readonly<{ url: string; stop: () => Promise<void> }>;

export type StripeDoubleOptions = Readonly<{
  /** 0: the one used last, else a free one. */
  port: number;
  /** Absent: nothing outlives the process. */
  dataDir?: string;
  secretKey: string;
  /** Where notices are sent, and what they are signed with. */
  webhookUrl: string;
  webhookSecret: string;
}>;

const MOST_BYTES = 1024 * 1024;
const SETTLE_EVERY_MS = 250;

type Answer = Readonly<{ status: number; body: string }>;

const OTHER_REQUEST = {
  error: {
    type: 'idempotency_error',
    message: 'Keys for idempotent requests can only be used with the same parameters.',
  },
};

type Route<C> = Readonly<{ method: string; pattern: RegExp; call: C }>;

const routesOf = <C>(calls: Readonly<Record<string, C>>): readonly Route<C>[] =>
  Object.entries(calls).map(([name, call]) => {
    const [method = '', path = ''] = name.split(' ');
    return { method, pattern: new RegExp(`^${path.replaceAll(/:\w+/g, '([A-Za-z0-9_]+)')}$`), call };
  });

const API = routesOf<ApiCall>(apiCalls);
const PAGES = routesOf<PageCall>(pageCalls);

const find = <C>(routes: readonly Route<C>[], method: string, path: string) => {
  for (const route of routes) {
    const match = route.method === method ? route.pattern.exec(path) : null;
    if (match !== null) return { call: route.call, ids: match.slice(1) };
  }
  return undefined;
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > MOST_BYTES) throw new StripeRefusal(413, { message: 'too much' });
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
};

const send = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
};
const sendJson = (response: ServerResponse, status: number, body: unknown): void =>
  send(response, status, 'application/json', JSON.stringify(body));

const listen = async (server: ReturnType<typeof createServer>, port: number): Promise<number> => {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

/** A double of Stripe's API with its pages, on loopback only: it keeps what it is told, and sends signed notices. */
export const startStripeDouble = async (options: StripeDoubleOptions): Promise<StripeDouble> => {
  if (options.dataDir !== undefined) mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const state = doubleState(options.dataDir === undefined ? ':memory:' : join(options.dataDir, 'stripe.sqlite'));
  let url = '';
  const now = (): number => Date.now();
  const sending = deliveries({ state, target: options.webhookUrl, secret: options.webhookSecret, now });
  const knobs = knobBoard(state);
  const world = worldOf(state, knobs, { url: () => url, wake: () => setImmediate(sending.wake), now });

  const asked = (call: ApiCall, ids: readonly string[], form: Form): Answer =>
    world.atomically(() => {
      try {
        const answer = expanded(world, call(world, form, ...ids), Object.values(textsAt(form, 'expand')));
        return { status: 200, body: JSON.stringify(world.shown(answer as object)) };
      } catch (error) {
        // A refusal is an answer: what was noted on the way to it, such as a declined card, stays.
        if (error instanceof StripeRefusal) {
          return { status: error.status, body: JSON.stringify({ error: error.body }) };
        }
        throw error;
      }
    });

  /** As `asked`, once for each key. */
  const onceFor = (key: string | undefined, about: string, ask: () => Answer): Answer => {
    const before = key === undefined ? undefined : state.answered(key);
    if (before !== undefined && before.request !== about) return { status: 400, body: JSON.stringify(OTHER_REQUEST) };
    const answer = before ?? ask();
    if (key !== undefined) state.keepAnswer(key, { request: about, ...answer });
    return answer;
  };

  const answerApi = (request: IncomingMessage, response: ServerResponse, path: string, text: string): void => {
    if (request.headers.authorization !== `Bearer ${options.secretKey}`) {
      return sendJson(response, 401, { error: { type: 'invalid_request_error', message: 'Invalid API Key provided' } });
    }
    if (knobs.uses('hang')) return;
    if (knobs.uses('fail')) return sendJson(response, 500, { error: { type: 'api_error', message: 'told to fail' } });
    const method = request.method ?? 'GET';
    const found = find(API, method, path);
    if (found === undefined) {
      const message = `Unrecognized request URL (${method}: ${path})`;
      return sendJson(response, 404, { error: { type: 'invalid_request_error', message } });
    }
    const about = createHash('sha256').update(`${method} ${path}\n${text}`).digest('hex');
    const [key] = method === 'POST' ? (request.headersDistinct['idempotency-key'] ?? []) : [];
    const answer = onceFor(key, about, () => asked(found.call, found.ids, readForm(text)));
    send(response, answer.status, 'application/json', answer.body);
  };

  const answerPage = (call: PageCall, id: string, response: ServerResponse, form: Form): void => {
    const reply = ((): PageReply => {
      try {
        return world.atomically(() => call(world, form, id));
      } catch (error) {
        if (error instanceof StripeRefusal) return { html: noticePage('There is no such page', error.message) };
        throw error;
      }
    })();
    if ('html' in reply) return send(response, 200, 'text/html; charset=utf-8', reply.html);
    response.writeHead(303, { location: reply.redirect });
    response.end();
  };

  const answerTold = (request: IncomingMessage, response: ServerResponse, name: string, text: string): void => {
    const call = toldCalls[name];
    // Another site's page in a browser cannot send this type without asking first.
    if (call === undefined || request.headers['content-type'] !== 'application/json') {
      return sendJson(response, 404, { error: 'nothing here' });
    }
    const told = JSON.parse(text === '' ? '{}' : text) as Readonly<Record<string, unknown>>;
    sendJson(
      response,
      200,
      world.atomically(() => call(world, told)),
    );
    sending.wake();
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname: path, search } = new URL(request.url ?? '/', 'http://localhost');
    const text = await bodyOf(request);
    const query = search.slice(1);
    const sent = [query, text].filter((part) => part !== '').join('&');
    if (path.startsWith('/v1/')) return answerApi(request, response, path, sent);
    if (path.startsWith('/_double/')) return answerTold(request, response, path.slice('/_double/'.length), text);
    const page = find(PAGES, request.method ?? 'GET', path);
    if (page === undefined) return sendJson(response, 404, { error: 'nothing here' });
    answerPage(page.call, page.ids[0] ?? '', response, readForm(sent));
  };

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: { type: 'api_error', message: String(error) } });
    });
  });
  const wanted = options.port === 0 ? (state.setting('port') ?? 0) : options.port;
  const port = await listen(server, wanted).catch(() => listen(server, options.port));
  state.set('port', port);
  url = `http://127.0.0.1:${port}`;

  const settling = setInterval(() => {
    for (const { id } of state.where('payment_intent', 'status', 'processing')) {
      const at = state.setting(`settles.${id}`);
      if (at !== undefined && at <= world.seconds()) world.atomically(() => settleIntent(world, id, true));
    }
  }, SETTLE_EVERY_MS);
  sending.wake();

  return {
    url,
    stop: async () => {
      clearInterval(settling);
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await Promise.all([closed, sending.stop()]);
      state.close();
    },
  };
};
