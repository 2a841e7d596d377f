import type { Logger } from '../kernel/logger.ts';
import { isBecauseGone } from './client-gone.ts';
import type { EdgeContext, EdgeMiddleware } from './edge-state.ts';
import { openAiError, openAiHeaders, speaksOpenAi } from './openai-errors.ts';
import { envelopeOf, headersOf, problemOf } from './problem.ts';
import type { Problem } from './problem.ts';

/** Headers that described the answer which is not coming. */
const OF_THE_BODY = ['Content-Type', 'Content-Length', 'Content-Encoding', 'Transfer-Encoding', 'ETag', 'Location'];

const tell = (ctx: EdgeContext, { status, error }: Problem): void => {
  for (const name of OF_THE_BODY) ctx.remove(name);
  ctx.respond = true;
  ctx.status = status;
  ctx.set(headersOf(error));
  ctx.type = 'application/json';
  if (!speaksOpenAi(ctx.path)) {
    ctx.body = JSON.stringify(envelopeOf(error, ctx.state.requestId));
    return;
  }
  ctx.set(openAiHeaders(error));
  ctx.body = JSON.stringify(openAiError(error));
};

const logFault = (logger: Logger, ctx: EdgeContext, thrown: unknown, problem: Problem): void => {
  const { requestId, route } = ctx.state;
  logger.error({ requestId, method: ctx.method, route, status: problem.status, err: thrown }, 'request failed');
};

/**
 * Turns whatever is thrown behind it into the one envelope, or into OpenAI's below its paths. A fault is logged here,
 * once, with its cause. When the answer had already begun, the connection is cut: a client must not take half an answer
 * for a whole one. One that had already said that it failed and ended is left in peace.
 */
export const envelope =
  (logger: Logger): EdgeMiddleware =>
  async (ctx, next) => {
    try {
      await next();
    } catch (thrown) {
      if (isBecauseGone(thrown, ctx.state.gone)) {
        ctx.respond = false;
        return;
      }
      const problem = problemOf(thrown);
      if (problem.fault) logFault(logger, ctx, thrown, problem);
      ctx.state.errorType = problem.error.errorType;
      if (!ctx.headerSent) return tell(ctx, problem);
      ctx.state.broken = true;
      ctx.respond = false;
      if (!ctx.res.writableEnded) ctx.res.destroy();
    }
  };
