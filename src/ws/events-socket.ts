import type { Caller } from '../http/endpoint.ts';
import type { Clock } from '../kernel/clock.ts';
import type { EventHub } from './event-hub.ts';
import { HEARTBEAT_MS, heartbeatOf, LEAVE_WITHIN_MS, messageOf, resumePosition } from './event-messages.ts';
import type { SessionWatch } from './session-watch.ts';
import type { Socket, SocketHandler } from './upgrade.ts';

/**
 * Resolves when the frame has been handed to the network, which paces us to the client's speed, or when there is no
 * network any more: the socket closes of itself then.
 */
const send = (socket: Socket, text: string): Promise<void> =>
  new Promise((resolve) => {
    socket.send(text, () => resolve());
  });

type Deps = Readonly<{
  hub: EventHub;
  clock: Clock;
  stopping: AbortSignal;
  watch: SessionWatch;
  /** Milliseconds; `HEARTBEAT_MS` when absent. */
  heartbeatMs?: number;
}>;

/** The session is over: sign in again before coming back. */
const POLICY_VIOLATION = 1008;

/** A connection may end without a word: one that has not answered two signs of life is over. */
const MOST_UNANSWERED = 2;

/** Ends a connection, also one whose peer does not read. */
const leaveSoon = (socket: Socket, code: number, reason: string): void => {
  socket.close(code, reason);
  const late = setTimeout(() => socket.terminate(), LEAVE_WITHIN_MS).unref();
  socket.once('close', () => clearTimeout(late));
};

/** Says that the stream lives, until it is stopped or the client does not answer any more. Answers how to stop. */
const beating = (socket: Socket, everyMs: number, text: () => string): (() => void) => {
  let unanswered = 0;
  socket.on('pong', () => {
    unanswered = 0;
  });
  const beat = (): void => {
    if (unanswered >= MOST_UNANSWERED) {
      socket.terminate();
      return;
    }
    unanswered += 1;
    socket.ping();
    // Events are a sign of life too: a client that has some before it need not get more to read.
    if (socket.bufferedAmount === 0) socket.send(text());
  };
  beat();
  const timer = setInterval(beat, everyMs);
  return () => clearInterval(timer);
};

/** The same stream as GET /ws/events, one text frame an event; `?position=` resumes. */
export const eventsSocket =
  ({ hub, clock, stopping, watch, heartbeatMs = HEARTBEAT_MS }: Deps): SocketHandler =>
  async (socket: Socket, caller: Caller, url: URL) => {
    const { userId } = caller;
    const after = resumePosition(url.searchParams.get('position') ?? undefined);
    const closed = new AbortController();
    socket.once('close', () => closed.abort());
    const leave = hub.enter(userId);
    const session = watch(caller);
    let stopBeating = (): void => undefined;
    try {
      const start = await hub.startOf(userId, after);
      stopBeating = beating(socket, heartbeatMs, () => heartbeatOf(userId, clock()));
      const over = AbortSignal.any([closed.signal, stopping, session.ended]);
      // Whoever does not read must not be waited for when the stream is over.
      const ending = new Promise((resolve) => over.addEventListener('abort', resolve, { once: true }));
      for await (const events of hub.follow(userId, start, over)) {
        for (const event of events) {
          if (over.aborted) break;
          await Promise.race([send(socket, messageOf(event)), ending]);
        }
      }
      if (session.ended.aborted) leaveSoon(socket, POLICY_VIOLATION, 'the session has ended');
      else if (!closed.signal.aborted) leaveSoon(socket, 1012, 'the server restarts');
    } catch (error) {
      if (!closed.signal.aborted) throw error;
    } finally {
      stopBeating();
      leave();
      session.stop();
    }
  };
