import { Router } from '@koa/router';
import type { RouterContext } from '@koa/router';
import { DomainError } from '../kernel/errors.ts';
import { answer } from './answer.ts';
import type { ActivityMeter } from './activity.ts';
import { callOf } from './call.ts';
import type { CallDeps } from './call.ts';
import type { EdgeContext, EdgeMiddleware, EdgeState } from './edge-state.ts';
import type { Endpoint } from './endpoint.ts';
import { admitAddress, admitUser, authenticate } from './admission.ts';
import type { Gate } from './gate.ts';

export type RoutingDeps = CallDeps & Readonly<{ gate: Gate; activity: ActivityMeter; apiPrefixes: readonly string[] }>;

/** The prefix that endpoints are written with, whatever they are served under. */
const API = '/api/';

/** The paths that an endpoint is served under. */
const pathsOf = (path: string, apiPrefixes: readonly string[]): readonly string[] =>
  path.startsWith(API) ? apiPrefixes.map((prefix) => `${prefix}/${path.slice(API.length)}`) : [path];

/** The path without a trailing slash and with the prefix that endpoints are written with. */
const writtenPath = (path: string, served: string, written: string): string => {
  const own = path.length > 1 ? path.replace(/\/$/, '') : path;
  if (served === written) return own;
  const prefix = served.slice(0, served.length - written.length + API.length - 1);
  return API.slice(0, -1) + own.slice(prefix.length);
};

/** Fixed segments before parameters, so that `/jobs/active` is never taken for `/jobs/:id`. */
const specificFirst = (a: Endpoint, b: Endpoint): number => {
  const rank = ({ spec }: Endpoint) => spec.path.replaceAll(/[:*][A-Za-z_]+/g, '\uffff');
  return rank(a) < rank(b) ? -1 : 1;
};

const refuseTwins = (endpoints: readonly Endpoint[]): void => {
  const seen = new Set<string>();
  for (const { spec } of endpoints) {
    const name = `${spec.method} ${spec.path.replaceAll(/[:*][A-Za-z_]+/g, ':')}`;
    if (seen.has(name)) throw new Error(`two endpoints answer ${name}`);
    seen.add(name);
  }
};

const serve =
  (deps: RoutingDeps, endpoint: Endpoint): EdgeMiddleware =>
  async (ctx) => {
    const counts = endpoint.spec.limit !== 'health';
    const ended = counts ? deps.activity.requestStarted() : undefined;
    try {
      const { params = {} } = ctx as EdgeContext & { params?: Record<string, string> };
      const call = await callOf(deps, endpoint, ctx, params);
      await answer(ctx, await endpoint.handle(call, ctx.state.caller), deps.activity);
    } finally {
      ended?.();
      ctx.state.discard?.();
    }
  };

const named =
  (route: string): EdgeMiddleware =>
  (ctx, next) => {
    ctx.state.route = route;
    return next();
  };

/** One endpoint's way, in order. */
const wayOf = (deps: RoutingDeps, endpoint: Endpoint, served: string): readonly EdgeMiddleware[] => {
  const { access, spec } = endpoint;
  const proven =
    access === 'public'
      ? []
      : [
          authenticate(deps.gate, { access, scope: spec.scope }, (path) => writtenPath(path, served, spec.path)),
          admitUser(deps.gate, spec.limit),
        ];
  return [named(served), admitAddress(deps.gate, spec.limit), ...proven, serve(deps, endpoint)];
};

/** Middleware, one after the other. */
const inTurn = (way: readonly EdgeMiddleware[]): EdgeMiddleware => {
  const from = (at: number, ctx: EdgeContext, next: () => Promise<unknown>): Promise<unknown> => {
    const step = way[at];
    return step === undefined ? next() : Promise.resolve(step(ctx, () => from(at + 1, ctx, next)));
  };
  return (ctx, next): Promise<unknown> => from(0, ctx, next);
};

const isFixed = (path: string): boolean => !/[:*{(]/.test(path);

/**
 * Serves the endpoints under their paths and aliases. One whose path has no parameters is found by it at once; the router
 * tries its hundreds of patterns only for the others. Throws when two endpoints answer the same.
 */
export const routesOf = (endpoints: readonly Endpoint[], deps: RoutingDeps): EdgeMiddleware => {
  refuseTwins(endpoints);
  const router = new Router<EdgeState>({ sensitive: true });
  const fixed = new Map<string, EdgeMiddleware>();
  for (const endpoint of endpoints.toSorted(specificFirst)) {
    for (const path of pathsOf(endpoint.spec.path, deps.apiPrefixes)) {
      const way = wayOf(deps, endpoint, path);
      router.register(path, [endpoint.spec.method], [...way]);
      if (isFixed(path)) fixed.set(`${endpoint.spec.method} ${path}`, inTurn(way));
    }
  }
  const routed = router.routes() as unknown as EdgeMiddleware;
  return (ctx, next): unknown => (fixed.get(`${ctx.method} ${ctx.path}`) ?? routed)(ctx, next);
};

/** Answers what no endpoint did: 405 with `Allow` where the path exists under another method, else 404. */
export const nothingHere =
  (gate: Gate): EdgeMiddleware =>
  async (ctx) => {
    // Guessing paths is counted like any reading; the answer does not depend on who asks.
    await admitAddress(gate, 'read')(ctx, () => Promise.resolve());
    const matched = (ctx as EdgeContext & Partial<RouterContext>).matched ?? [];
    const methods = [...new Set(matched.flatMap((layer) => layer.methods))];
    if (methods.length === 0) throw new DomainError('not_found', 'there is nothing at this path; check the address');
    ctx.set('Allow', methods.join(', '));
    throw new DomainError('method_not_allowed', `this path takes ${methods.join(', ')}; use one of these`);
  };
