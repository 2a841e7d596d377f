import type { ActivityMeter } from './activity.ts';
import type { EdgeContext } from './edge-state.ts';
import type { Reply } from './endpoint.ts';
import { PAGE_POLICY } from './security-headers.ts';

const hand = (ctx: EdgeContext, status: number, type: string, body: string): void => {
  ctx.status = status;
  ctx.type = type;
  ctx.body = body;
};

const stream = async (
  ctx: EdgeContext,
  reply: Extract<Reply, { kind: 'stream' }>,
  activity: ActivityMeter,
): Promise<void> => {
  ctx.status = 200;
  // A stream is work, which a question for its headers alone must not start.
  if (ctx.method === 'HEAD') {
    ctx.body = null;
    ctx.status = 200;
    return;
  }
  ctx.respond = false;
  const ended = activity.streamStarted();
  try {
    await reply.write(ctx.res);
    if (!ctx.res.writableEnded) ctx.res.end();
  } finally {
    ended();
  }
};

/** Hands a handler's reply to the client; for a stream, returns when its handler is done writing. */
export const answer = async (ctx: EdgeContext, reply: Reply, activity: ActivityMeter): Promise<void> => {
  switch (reply.kind) {
    case 'json':
      if (reply.headers !== undefined) ctx.set({ ...reply.headers });
      return hand(ctx, reply.status, 'application/json', JSON.stringify(reply.body ?? null));
    case 'empty':
      if (reply.headers !== undefined) ctx.set({ ...reply.headers });
      ctx.body = null;
      ctx.status = reply.status;
      return;
    case 'redirect':
      ctx.set('Location', reply.location);
      return hand(ctx, 302, 'text/plain', '');
    case 'html':
      ctx.set('Content-Security-Policy', PAGE_POLICY);
      return hand(ctx, reply.status, 'text/html', reply.body);
    case 'text':
      if (reply.headers !== undefined) ctx.set({ ...reply.headers });
      return hand(ctx, reply.status, reply.type, reply.body);
    case 'stream':
      return stream(ctx, reply, activity);
  }
};
