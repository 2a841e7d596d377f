import { performance } from 'node:perf_hooks';
import type { Logger } from '../kernel/logger.ts';
import { goneSignal } from './client-gone.ts';
import type { EdgeContext, EdgeMiddleware } from './edge-state.ts';
import { requestIdOf } from './request-id.ts';

/** What a client that left before its answer is logged as; it never sees the number. */
const CLIENT_CLOSED = 499;

const statusSeen = (ctx: EdgeContext): number => {
  if (ctx.state.broken === true) return 500;
  return ctx.res.writableFinished ? ctx.res.statusCode : CLIENT_CLOSED;
};

/** Gives the request its id and its sign of a client that has left; both are there for everything behind. */
export const identify =
  (addressOf: (request: EdgeContext['req']) => string): EdgeMiddleware =>
  (ctx, next) => {
    ctx.state.requestId = requestIdOf(ctx.req.headersDistinct['x-request-id']?.[0]);
    ctx.state.ip = addressOf(ctx.req);
    ctx.state.gone = goneSignal(ctx.res);
    ctx.set('X-Request-Id', ctx.state.requestId);
    return next();
  };

/**
 * One line a request, when its last byte was handed over or its connection broke. The path is logged as its pattern:
 * neither query strings nor path parameters, which can be secrets of a login, reach the log.
 */
export const accessLog =
  (logger: Logger): EdgeMiddleware =>
  (ctx, next) => {
    const started = performance.now();
    ctx.res.once('close', () => {
      const { requestId, route, caller, errorType } = ctx.state;
      const status = statusSeen(ctx);
      const fields = {
        method: ctx.method,
        route: route ?? 'none',
        status,
        ms: Math.round((performance.now() - started) * 10) / 10,
        requestId,
        ...(caller === undefined ? {} : { userId: caller.userId }),
        ...(errorType === undefined || status === CLIENT_CLOSED ? {} : { errorType }),
      };
      // Probes come every few seconds for ever: they are only of interest when they fail.
      const quiet = status < 400 && route?.startsWith('/health') === true;
      (quiet ? logger.debug : logger.info)(fields, 'request');
    });
    return next();
  };
