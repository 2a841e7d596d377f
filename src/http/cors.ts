import type { EdgeContext, EdgeMiddleware } from './edge-state.ts';

/** The origins that browsers may call from, exact or `*` for all, and the headers that their scripts may read. */
export type CorsOptions = Readonly<{ origins: readonly string[]; exposedHeaders?: readonly string[] }>;

const EXPOSED = [
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Retry-After',
  'X-Request-Id',
  'Idempotent-Replayed',
];
const METHODS = 'GET, HEAD, POST, PUT, DELETE, OPTIONS';
const PREFLIGHT_SECONDS = '600';

const answerPreflight = (ctx: EdgeContext, allowed: boolean): void => {
  ctx.status = 204;
  ctx.state.route = 'preflight';
  if (!allowed) return;
  ctx.set('Access-Control-Allow-Methods', METHODS);
  ctx.set('Access-Control-Max-Age', PREFLIGHT_SECONDS);
  const asked = ctx.get('Access-Control-Request-Headers');
  if (asked !== '') ctx.set('Access-Control-Allow-Headers', asked);
};

/** The headers that let a browser's script of this origin read an answer; none for an origin that may not. */
export const corsHeaders = ({ origins, exposedHeaders = [] }: CorsOptions) => {
  const any = origins.includes('*');
  const exposed = [...EXPOSED, ...exposedHeaders].join(', ');
  return (origin: string): Readonly<Record<string, string>> =>
    origin !== '' && (any || origins.includes(origin))
      ? {
          'Access-Control-Allow-Origin': origin,
          'Access-Control-Allow-Credentials': 'true',
          'Access-Control-Expose-Headers': exposed,
        }
      : {};
};

/**
 * Cross-origin rules, on every answer: a browser that may not read an error sees a network failure instead. The origin
 * is echoed even for `*`, because a literal star does not go with credentials. Preflights end here, uncounted.
 */
export const cors = (options: CorsOptions): EdgeMiddleware => {
  const headersOf = corsHeaders(options);
  return (ctx, next) => {
    const headers = headersOf(ctx.get('Origin'));
    ctx.vary('Origin');
    ctx.set({ ...headers });
    if (ctx.method !== 'OPTIONS') return next();
    answerPreflight(ctx, Object.keys(headers).length > 0);
    return Promise.resolve();
  };
};
