import type { EdgeMiddleware } from './edge-state.ts';

/** An API answer is data: a browser that is shown one loads nothing, frames nothing, keeps nothing. */
const API_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** Our few pages have their style in them and nothing else. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'";

const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy': API_POLICY,
  'Cache-Control': 'no-store',
};

const ONE_YEAR = 'max-age=31536000; includeSubDomains';

/** What keeps browsers careful. `https` adds the promise that this host speaks TLS only. */
export const carefulHeaders = (https: boolean): Readonly<Record<string, string>> =>
  https ? { ...HEADERS, 'Strict-Transport-Security': ONE_YEAR } : HEADERS;

/** Sets them on every answer. */
export const securityHeaders = (https: boolean): EdgeMiddleware => {
  const headers = { ...carefulHeaders(https) };
  return (ctx, next) => {
    ctx.set(headers);
    return next();
  };
};
