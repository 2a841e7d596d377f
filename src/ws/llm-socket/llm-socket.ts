import { once } from 'node:events';
import { causeOf, type CauseDeps } from '../../http/cause.ts';
import type { Caller } from '../../http/endpoint.ts';
import type { Gate } from '../../http/gate.ts';
import { refuseWhenOver } from '../../http/limits.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { SessionWatch } from '../session-watch.ts';
import type { Opening, Socket, SocketHandler } from '../upgrade.ts';
import { conversation, type ConversationDeps } from './conversation.ts';
import { heartbeat } from './heartbeat.ts';
import { outbox } from './outbox.ts';
import { pace } from './pace.ts';

/** How much one socket may do. */
export type SocketLimits = Readonly<{
  streams: number;
  /** Sockets of one user on this instance. */
  socketsPerUser: number;
  burst: number;
  messagesPerSecond: number;
  bufferedBytes: number;
  heartbeatMs: number;
}>;

const defaultSocketLimits: SocketLimits = {
  streams: 32,
  socketsPerUser: 16,
  burst: 200,
  messagesPerSecond: 50,
  bufferedBytes: 256 * 1024,
  heartbeatMs: 30_000,
};

export type LlmSocketDeps = Pick<
  ConversationDeps,
  'answers' | 'requests' | 'requestOfKey' | 'keyNow' | 'room' | 'logger'
> &
  CauseDeps &
  Readonly<{
    gate: Pick<Gate, 'countAddress' | 'countUser'>;
    watch: SessionWatch;
    /** Aborts when the server goes down. */
    stopping: AbortSignal;
    newId: () => string;
    limits?: Partial<SocketLimits>;
  }>;

/** Close codes of RFC 6455 and its registry. */
const POLICY_VIOLATION = 1008;
const RESTARTING = 1012;
const TRY_LATER = 1013;

/** A client that asks for more than so many times what may wait for it does not read. */
const OVERFLOW = 16;

const rooms = (most: number) => {
  const open = new Map<string, number>();
  return (userId: string): (() => void) => {
    const count = open.get(userId) ?? 0;
    if (count >= most) {
      throw new DomainError('rate_limit_error', `at most ${most} sockets of one user; close some first`);
    }
    open.set(userId, count + 1);
    return () => {
      const left = (open.get(userId) ?? 1) - 1;
      if (left === 0) open.delete(userId);
      else open.set(userId, left);
    };
  };
};

/**
 * `/ws/llm`: completions as commands over one socket, several at a time. A socket that closes leaves its streams running
 * for a while, so that they can be resumed over another one.
 */
export const llmSocket = (deps: LlmSocketDeps): SocketHandler => {
  const { gate, clock, stopping, logger } = deps;
  const limits = { ...defaultSocketLimits, ...deps.limits };
  const enter = rooms(limits.socketsPerUser);

  const admit = async (userId: string, ip: string): Promise<void> => {
    refuseWhenOver(await gate.countAddress('write', ip), 'too many requests from this address');
    const standing = await gate.countUser('write', userId);
    if (standing !== undefined) refuseWhenOver(standing, 'too many requests from this user');
  };

  return async (socket: Socket, caller: Caller, _url: URL, { ip }: Opening) => {
    const leave = enter(caller.userId);
    const closed = new AbortController();
    socket.once('close', () => closed.abort());
    const session = deps.watch(caller);
    const beat = heartbeat(socket, limits.heartbeatMs);
    const out = outbox(socket, {
      fullAt: limits.bufferedBytes,
      overflowAt: limits.bufferedBytes * OVERFLOW,
      onOverflow: () => end(TRY_LATER, 'read what you are sent'),
      onProgress: beat.heard,
    });
    let ending = false;
    const end = (code: number, reason: string): void => {
      ending = true;
      logger.info({ userId: caller.userId, code, streams: talk.streams() }, 'closing a socket');
      out.close();
      socket.close(code, reason);
    };
    const talk = conversation({
      ...deps,
      caller,
      out,
      gone: closed.signal,
      admit: () => admit(caller.userId, ip),
      cause: () => {
        const requestId = deps.newId();
        return { ...causeOf(deps, { requestId, caller, ip }), requestId };
      },
      mostStreams: limits.streams,
    });
    const mayGoOn = pace(() => clock().getTime(), { burst: limits.burst, perSecond: limits.messagesPerSecond });

    socket.on('message', (data, isBinary) => {
      beat.heard();
      if (ending) return;
      if (!mayGoOn()) return end(POLICY_VIOLATION, 'too many messages');
      if (isBinary) return talk.refuse(new DomainError('bad_request', 'messages are text frames; this one is binary'));
      const bytes = data as Buffer;
      talk.hear(bytes.toString('utf8'), bytes.length);
    });

    const over = AbortSignal.any([closed.signal, stopping, session.ended]);
    try {
      if (!over.aborted) await once(over, 'abort');
      if (session.ended.aborted) end(POLICY_VIOLATION, 'the session has ended');
      else if (!closed.signal.aborted) end(RESTARTING, 'the server restarts');
      if (!closed.signal.aborted) await once(closed.signal, 'abort');
    } finally {
      beat.stop();
      session.stop();
      out.close();
      leave();
    }
  };
};
