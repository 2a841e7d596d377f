import type { ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { ApiKeyScope } from '../events/api-key/api-key.events.ts';
import type { Budget } from '../kernel/budget.ts';
import type { Cause } from '../kernel/message.ts';
import type { FormSpec } from './form/form.ts';

/** The API key that a caller came with. */
export type CallersKey = Readonly<{
  keyId: string;
  scopes: readonly ApiKeyScope[];
  /** What it may spend; null: what there is. */
  budget: Budget | null;
}>;

/** Who is calling, as the token and the device headers proved, or an API key. */
export type Caller = Readonly<{
  userId: string;
  /** `apiKey:<key id>` for a caller with an API key, who has no session. */
  sessionId: string;
  /** The token's own id, or the key's. */
  jti: string;
  /** Lowercase; undefined when neither token nor header names a device. */
  deviceId: string | undefined;
  /** An API key never is an administrator. */
  role: 'user' | 'admin';
  /** Empty for a caller with an API key. */
  email: string;
  /** Seconds since the epoch. */
  tokenExpiresAt: number;
  /** Absent: a person who is signed in. */
  apiKey?: CallersKey;
}>;

/** Who may call an endpoint. */
export type Access = 'public' | 'user' | 'admin';

/** The bucket that a call is counted in, per address and, when known, per user. */
export type LimitScope =
  'checkout' | 'health' | 'login' | 'polling' | 'public' | 'socket' | 'read' | 'webhook' | 'write';

/** What a handler is given: everything validated, nothing of Koa. */
export type Call<B, Q> = Readonly<{
  body: B;
  query: Q;
  params: Readonly<Record<string, string>>;
  /** Ready for the command handlers; its actor is the caller, or `system` on public endpoints. */
  cause: Cause;
  requestId: string;
  /** The client's address by the configured number of trusted proxies. */
  ip: string;
  /** A request header, lowercase name; undefined when absent or repeated. */
  header: (name: string) => string | undefined;
  /** Aborts when the client has gone away before the answer was complete. */
  gone: AbortSignal;
  /** Body and file count as held until the caller has its answer and, when this was called, until the promise is settled. */
  keepUntil: (over: Promise<unknown>) => void;
}>;

/** What a handler answers. `stream` owns the raw response: it writes head and body and ends it. */
export type Reply =
  | Readonly<{ kind: 'json'; status: number; body: unknown; headers?: Readonly<Record<string, string>> }>
  | Readonly<{ kind: 'empty'; status: number; headers?: Readonly<Record<string, string>> }>
  | Readonly<{ kind: 'redirect'; location: string }>
  | Readonly<{ kind: 'html'; status: number; body: string }>
  /** A text of another kind, such as `text/csv`. */
  | Readonly<{ kind: 'text'; status: number; type: string; body: string; headers?: Readonly<Record<string, string>> }>
  | Readonly<{ kind: 'stream'; write: (response: ServerResponse) => Promise<void> }>;

type Spec<B, Q> = Readonly<{
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** A path of @koa/router, with `:name` parameters. */
  path: string;
  limit: LimitScope;
  /** What an API key must be good for to call this; absent: no API key may. */
  scope?: ApiKeyScope;
  /** The JSON body. Absent: a body is neither needed nor read. */
  body?: z.ZodType<B>;
  /** A form with a file in place of the JSON body; the handler's body is a `MediaForm`. */
  form?: FormSpec;
  /** The body as it came, a `Buffer`, for what is signed byte by byte; `body` is not used then. */
  rawBody?: true;
  query?: z.ZodType<Q>;
  /** What the path's parameters must be (see path-params.ts); absent: any text. */
  params?: z.ZodType<Readonly<Record<string, string>>>;
  /** Texts of the body are handed on and never kept, so that broken ones are the receiver's affair. */
  anyText?: boolean;
  /** Largest body in bytes; 1 MiB when absent. */
  maxBodyBytes?: number;
}>;

/** One method and path. Made by the three functions below, so that `caller` is there exactly when it is proven. */
export type Endpoint = Readonly<{
  access: Access;
  spec: Spec<unknown, unknown>;
  handle: (call: Call<unknown, unknown>, caller: Caller | undefined) => Promise<Reply>;
}>;

/** An endpoint for anybody. */
export const publicEndpoint = <B = undefined, Q = undefined>(
  spec: Spec<B, Q> & Readonly<{ handle: (call: Call<B, Q>) => Promise<Reply> }>,
): Endpoint => ({
  access: 'public',
  spec: spec,
  handle: (call) => spec.handle(call as Call<B, Q>),
});

const forCallers =
  (access: 'user' | 'admin') =>
  <B = undefined, Q = undefined>(
    spec: Spec<B, Q> & Readonly<{ handle: (call: Call<B, Q>, caller: Caller) => Promise<Reply> }>,
  ): Endpoint => ({
    access,
    spec: spec,
    handle: (call, caller) => {
      if (caller === undefined) throw new Error('an endpoint for callers was reached without one');
      return spec.handle(call as Call<B, Q>, caller);
    },
  });

/** An endpoint for signed-in users. */
export const userEndpoint = forCallers('user');

/** An endpoint for administrators; the role is read from the user's own record, not from the token. */
export const adminEndpoint = forCallers('admin');

/** A JSON answer. */
export const json = (status: number, body: unknown, headers?: Readonly<Record<string, string>>): Reply =>
  headers === undefined ? { kind: 'json', status, body } : { kind: 'json', status, body, headers };

/** An answer without a body. */
export const empty = (status = 204): Reply => ({ kind: 'empty', status });
