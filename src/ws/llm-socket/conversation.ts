import type { Answer, Answers } from '../../../commands/completions/answers/answer.ts';
import type { RequestOfKey } from '../../../commands/completions/claims/request-of-key.ts';
import type { KeyNow } from '../../http/auth/key-now.ts';
import { idempotencyKey } from '../../http/idempotency-key.ts';
import { problemOf } from '../../http/problem.ts';
import type { Caller } from '../../http/endpoint.ts';
import type { Room, Share } from '../../http/room.ts';
import { desktopOrderOf } from '../../http/routes/llm/desktop-body.ts';
import type { KnownRequests } from '../../http/routes/llm/known-requests.ts';
import { payingKey } from '../../http/routes/llm/paying-key.ts';
import { DomainError, isDomainError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Cause } from '../../kernel/message.ts';
import { readMessage, type ClientMessage, type Resume, type Start } from './client-messages.ts';
import { handOn } from './hand-on.ts';
import type { Outbox } from './outbox.ts';
import { failed, pong, started } from './server-messages.ts';

export type ConversationDeps = Readonly<{
  answers: Pick<Answers, 'open' | 'follow'>;
  requests: Pick<KnownRequests, 'cancel'>;
  requestOfKey: RequestOfKey;
  caller: Caller;
  /** The caller as is at the time of a request: a socket lives longer than what its API key may spend. */
  keyNow: KeyNow;
  /** Bounds what is in memory of requests. */
  room: Room;
  /** Counts one request of the caller's. Throws DomainError `rate_limit_error`. */
  admit: () => Promise<void>;
  /** A cause for one message, with a request id of its own. */
  cause: () => Cause & Readonly<{ requestId: string }>;
  out: Outbox;
  /** Aborts when the socket has closed. */
  gone: AbortSignal;
  mostStreams: number;
  logger: Logger;
}>;

/** What is said over one socket. */
export type Conversation = Readonly<{
  /** Takes a text frame of so many bytes; never throws. */
  hear: (text: string, bytes: number) => void;
  /** Tells of something wrong that no stream is concerned by. */
  refuse: (refusal: unknown) => void;
  streams: () => number;
}>;

/** A stream from the message that asked for it to its last one, and what there is of it in memory. */
type Stream = Readonly<{ share: Share; work: Promise<unknown>[] }> & {
  cancelled: boolean;
  requestId: string | undefined;
};

/** The client's own name for its wish, told beside the request or in it. Throws DomainError `bad_request`. */
const keyOf = ({ key, request }: Start): string | undefined =>
  idempotencyKey(key, 'key') ?? idempotencyKey(request.request_id || undefined, 'request_id');

/** Runs the streams of one socket, several at a time. */
export const conversation = (deps: ConversationDeps): Conversation => {
  const { answers, requests, caller, out, gone, logger } = deps;
  const { userId } = caller;
  const streams = new Map<string, Stream>();

  /** An error of a stream that is not known must not be taken for the end of one that is. */
  const tellFailed = (id: string | undefined, thrown: unknown, { requestId } = deps.cause()): void => {
    const { fault } = problemOf(thrown);
    if (fault && !gone.aborted) logger.error({ requestId, err: thrown }, 'a message of a socket could not be served');
    out.tell(failed(id === undefined || streams.has(id) ? undefined : id, thrown, { requestId }));
  };

  const cancelRequest = async (requestId: string): Promise<void> => {
    try {
      await requests.cancel(requestId, userId, deps.cause());
    } catch (error) {
      // It has ended by itself, and its end is told as such.
      if (!isDomainError(error) || error.errorType !== 'not_found') tellFailed(undefined, error);
    }
  };

  const requestOf = async ({ requestId, key }: Resume): Promise<string> => {
    const named = idempotencyKey(key);
    const found = requestId ?? (named === undefined ? undefined : await deps.requestOfKey(userId, named));
    if (found !== undefined) return found;
    throw new DomainError('not_found', 'nothing was begun with this key; start it');
  };

  const begin = async (message: Start | Resume, { work }: Stream, cause: Cause): Promise<Answer> => {
    if (message.type === 'resume') return answers.follow(await requestOf(message), userId, gone);
    const order = { ...desktopOrderOf(userId, message.request), ...payingKey(await deps.keyNow(caller)) };
    const key = keyOf(message);
    const named = key === undefined ? {} : { key };
    const keepUntil = (over: Promise<unknown>): void => void work.push(over);
    return answers.open({ ...order, ...named, keepUntil, streamed: true, resumable: true }, cause, gone);
  };

  const run = async (message: Start | Resume, stream: Stream): Promise<void> => {
    const { id } = message;
    const cause = deps.cause();
    let last: () => void;
    try {
      await deps.admit();
      const answer = await begin(message, stream, cause);
      stream.requestId = answer.requestId;
      out.tell(started(id, answer, message.type === 'start' ? keyOf(message) : undefined));
      if (stream.cancelled) void cancelRequest(answer.requestId);
      const end = await handOn(answer, id, message.type === 'resume' ? message.after : 0, out);
      last = () => out.tell(end);
    } catch (error) {
      last = () => tellFailed(id, error, cause);
    }
    // The id is free again when the client hears of the end.
    streams.delete(id);
    last();
    // The socket may be gone and the work go on, with all that was asked for.
    void Promise.allSettled(stream.work).then(stream.share.giveBack);
  };

  const open = (message: Start | Resume, bytes: number): void => {
    const { id } = message;
    if (streams.has(id)) throw new DomainError('already_exists', `the stream '${id}' is still running`);
    if (streams.size >= deps.mostStreams) {
      throw new DomainError('rate_limit_error', `at most ${deps.mostStreams} streams on one socket; wait for an end`, {
        retryAfterSeconds: 1,
      });
    }
    const share = deps.room(userId);
    share.grow(bytes);
    const stream: Stream = { share, work: [], cancelled: false, requestId: undefined };
    streams.set(id, stream);
    void run(message, stream);
  };

  const cancel = (id: string): void => {
    const stream = streams.get(id);
    if (stream === undefined) throw new DomainError('not_found', `no stream '${id}' is running; it may have ended`);
    if (stream.cancelled) return;
    stream.cancelled = true;
    if (stream.requestId !== undefined) void cancelRequest(stream.requestId);
  };

  const heed = (message: ClientMessage, bytes: number): void => {
    switch (message.type) {
      case 'start':
      case 'resume':
        return open(message, bytes);
      case 'cancel':
        return cancel(message.id);
      case 'ping':
        return out.tell(pong);
    }
  };

  const hear = (text: string, bytes: number): void => {
    const read = readMessage(text);
    if ('refusal' in read) return tellFailed(read.id, read.refusal);
    try {
      heed(read.message, bytes);
    } catch (error) {
      tellFailed('id' in read.message ? read.message.id : undefined, error);
    }
  };

  return { hear, refuse: (refusal) => tellFailed(undefined, refusal), streams: () => streams.size };
};
