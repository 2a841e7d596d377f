import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Clock } from '../../../kernel/clock.ts';
import type { EventHub } from '../../../ws/event-hub.ts';
import { HEARTBEAT_MS, heartbeatOf, LEAVE_WITHIN_MS, messageOf, resumePosition } from '../../../ws/event-messages.ts';
import type { SessionWatch } from '../../../ws/session-watch.ts';
import { userEndpoint, type Endpoint } from '../../endpoint.ts';

type Deps = Readonly<{ hub: EventHub; clock: Clock; stopping: AbortSignal; watch: SessionWatch }>;

const HEAD = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache',
  'Content-Encoding': 'identity',
  'X-Accel-Buffering': 'no',
};

/** Writes and waits while the client is slow, so that no more than one page is ever held for it. */
const write = async (response: ServerResponse, text: string, signal: AbortSignal): Promise<void> => {
  if (response.write(text) || signal.aborted) return;
  await once(response, 'drain', { signal }).catch(() => undefined);
};

/** Ends an answer, also one whose client does not read. */
const leaveSoon = (response: ServerResponse): void => {
  response.end();
  const late = setTimeout(() => response.destroy(), LEAVE_WITHIN_MS).unref();
  response.once('close', () => clearTimeout(late));
};

/** GET /ws/events: the user's own events as server-sent events; `Last-Event-ID` or `?position=` resumes. */
export const followEvents = ({ hub, clock, stopping, watch }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/ws/events',
    limit: 'socket',
    scope: 'account',
    query: z.object({ position: z.string().optional() }),
    handle: ({ gone, header, query }, caller) => {
      const { userId } = caller;
      const after = resumePosition(header('last-event-id'), query.position);
      const follow = async (response: ServerResponse, start: bigint): Promise<void> => {
        response.writeHead(200, HEAD);
        const beat = (): void => {
          // Events are a sign of life too: what a slow client has before it must not grow by these.
          if (!response.writableNeedDrain) response.write(`data: ${heartbeatOf(userId, clock())}\n\n`);
        };
        beat();
        const timer = setInterval(beat, HEARTBEAT_MS);
        const session = watch(caller);
        const signal = AbortSignal.any([gone, stopping, session.ended]);
        try {
          for await (const events of hub.follow(userId, start, signal)) {
            const frames = events.map((event) => `id: ${event.position}\ndata: ${messageOf(event)}\n\n`);
            await write(response, frames.join(''), signal);
          }
        } finally {
          clearInterval(timer);
          session.stop();
        }
        leaveSoon(response);
      };
      return Promise.resolve({
        kind: 'stream',
        write: async (response) => {
          const leave = hub.enter(userId);
          try {
            await follow(response, await hub.startOf(userId, after));
          } finally {
            leave();
          }
        },
      });
    },
  });
