import { tmpdir } from 'node:os';
import Koa from 'koa';
import type { Clock } from '../kernel/clock.ts';
import type { Limiter } from '../kernel/limiter.ts';
import type { Logger } from '../kernel/logger.ts';
import { accessLog, identify } from './access-log.ts';
import { activityMeter } from './activity.ts';
import type { ActivityMeter } from './activity.ts';
import type { Authenticator } from './authenticator.ts';
import { discardRest } from './body.ts';
import { isCut } from './client-gone.ts';
import { cors, corsHeaders } from './cors.ts';
import type { EdgeMiddleware, EdgeState } from './edge-state.ts';
import type { Endpoint } from './endpoint.ts';
import { envelope } from './envelope.ts';
import { buildGate } from './gate.ts';
import type { Gate } from './gate.ts';
import { diskSpool, type Spool } from './form/spool.ts';
import { defaultLimits } from './limits.ts';
import type { Limits } from './limits.ts';
import { boundlessRoom, type Room } from './room.ts';
import { nothingHere, routesOf } from './routing.ts';
import { carefulHeaders, securityHeaders } from './security-headers.ts';
import type { RefusalHeaders } from './unparsed.ts';
import { wellFormedUrl } from './well-formed-url.ts';

export type HttpOptions = Readonly<{
  endpoints: readonly Endpoint[];
  authenticator: Authenticator;
  limiter: Limiter;
  logger: Logger;
  clock: Clock;
  /** Exact origins, or `*`. */
  corsOrigins: readonly string[];
  /** How many proxies in front append to X-Forwarded-For; 0 believes the socket alone. */
  trustedProxies: number;
  limits?: Limits;
  /** What `/api` in an endpoint's path is served as; `/api` and `/api-key` when absent. */
  apiPrefixes?: readonly string[];
  /** Response headers beyond the usual ones that browser scripts may read. */
  exposedHeaders?: readonly string[];
  /** True when the host is reached by TLS only. */
  https?: boolean;
  /** Shared with the deployment check. */
  activity?: ActivityMeter;
  hashAddress?: (ip: string) => string;
  /** How long a body may take to arrive. */
  bodyTimeoutMs?: number;
  /** Where the files of forms go; the system's own temporary directory when absent. */
  spool?: Spool;
  /** Bounds what is in memory of bodies, and on disk of forms; nothing does when absent. */
  rooms?: Readonly<{ bodies: Room; forms: Room }>;
}>;

const BODY_TIMEOUT_MS = 300_000;

const discardUnread: EdgeMiddleware = (ctx, next) => {
  ctx.res.once('finish', () => discardRest(ctx.req));
  return next();
};

/** The prefixes of `/api`: the versioned one takes the plain one's place, the alias is always there. */
export const apiPrefixesFor = (versioned: boolean): readonly string[] => [versioned ? '/api/v1' : '/api', '/api-key'];

/**
 * The whole HTTP edge, in the order in which a request meets it. `gate` is what a WebSocket upgrade needs of it, and
 * `refusalHeaders` are those of answers that are given outside of it.
 */
export const buildHttp = (
  options: HttpOptions,
): Readonly<{ app: Koa<EdgeState>; gate: Gate; activity: ActivityMeter; refusalHeaders: RefusalHeaders }> => {
  const { logger, activity = activityMeter(), limits = defaultLimits } = options;
  const gate = buildGate({ ...options, limits });
  const routes = routesOf(options.endpoints, {
    gate,
    activity,
    clock: options.clock,
    bodyTimeoutMs: options.bodyTimeoutMs ?? BODY_TIMEOUT_MS,
    spool: options.spool ?? diskSpool(tmpdir()),
    rooms: options.rooms ?? { bodies: boundlessRoom, forms: boundlessRoom },
    apiPrefixes: options.apiPrefixes ?? apiPrefixesFor(false),
    ...(options.hashAddress === undefined ? {} : { hashAddress: options.hashAddress }),
  });

  const crossOrigin = { origins: options.corsOrigins, exposedHeaders: options.exposedHeaders ?? [] };
  const corsFor = corsHeaders(crossOrigin);
  const careful = carefulHeaders(options.https ?? false);
  const app = new Koa<EdgeState>();
  app.use(identify(gate.addressOf));
  app.use(accessLog(logger));
  app.use(discardUnread);
  app.use(cors(crossOrigin));
  app.use(securityHeaders(options.https ?? false));
  app.use(envelope(logger));
  app.use(wellFormedUrl);
  // Each endpoint: address limit, authentication, user limit, body and query, handler (routing.ts).
  app.use(routes);
  app.use(nothingHere(gate));
  app.on('error', (error: unknown) => {
    // The client's doing, and its request has a line of its own.
    if (!isCut(error)) logger.error({ err: error }, 'the answer could not be written');
  });
  return { app, gate, activity, refusalHeaders: (origin) => ({ ...careful, Vary: 'Origin', ...corsFor(origin) }) };
};
