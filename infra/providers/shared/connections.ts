import { Pool, type Dispatcher } from 'undici';
import type { Patience } from './post.ts';

const IDLE_MS = 300_000;
const TOTAL_MS = 1_740_000;
const CONNECT_MS = 30_000;
/** Connections are kept this long after their last use. */
const KEEP_ALIVE_MS = 60_000;

/** Connections to one provider, shared by all its calls. */
export const connectionsTo = (origin: string, connectMs = CONNECT_MS): Dispatcher =>
  new Pool(origin, {
    connections: null,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { timeout: connectMs, keepAlive: true },
  });

/** How long to wait for answers that are streamed, and for those that are thought out before their head is sent. */
export const patienceOf = ({
  idleMs = IDLE_MS,
  totalMs = TOTAL_MS,
}: Readonly<{ idleMs?: number; totalMs?: number }>): Readonly<{ streaming: Patience; whole: Patience }> => ({
  streaming: { headersMs: idleMs, idleMs, totalMs },
  whole: { headersMs: totalMs, idleMs, totalMs },
});
