import type { Caller } from '../http/endpoint.ts';
import type { Clock } from '../kernel/clock.ts';
import type { EventHub } from './event-hub.ts';
import { HEARTBEAT_MS, heartbeatOf, messageOf, resumePosition } from './event-messages.ts';
import type { SessionWatch } from './session-watch.ts';
import type { Socket, SocketHandler } from './upgrade.ts';

/** Resolves when the frame has been handed to the network, which paces us to the client's speed. */
const send = (socket: Socket, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.send(text, (error) => (error ? reject(error) : resolve()));
  });

type Deps = Readonly<{ hub: EventHub; clock: Clock; stopping: AbortSignal; watch: SessionWatch }>;

/** The session is over: sign in again before coming back. */
const POLICY_VIOLATION = 1008;

/** The same stream as GET /ws/events, one text frame an event; `?position=` resumes. */
export const eventsSocket =
  ({ hub, clock, stopping, watch }: Deps): SocketHandler =>
  async (socket: Socket, caller: Caller, url: URL) => {
    const { userId } = caller;
    hub.mustHaveRoom(userId);
    const after = resumePosition(url.searchParams.get('position') ?? undefined);
    const closed = new AbortController();
    socket.once('close', () => closed.abort());
    const beat = (): void => {
      socket.ping();
      socket.send(heartbeatOf(userId, clock()));
    };
    beat();
    const timer = setInterval(beat, HEARTBEAT_MS);
    const session = watch(caller);
    try {
      for await (const events of hub.follow(userId, after, AbortSignal.any([closed.signal, stopping, session.ended]))) {
        for (const event of events) await send(socket, messageOf(event));
      }
      if (session.ended.aborted) socket.close(POLICY_VIOLATION, 'the session has ended');
      else if (!closed.signal.aborted) socket.close(1012, 'the server restarts');
    } catch (error) {
      if (!closed.signal.aborted) throw error;
    } finally {
      clearInterval(timer);
      session.stop();
    }
  };
