import type { Socket } from '../upgrade.ts';
import { callKeyOf } from './frames.ts';
import { receipts, type KeptFrame } from './receipts.ts';

/**
 * How much it matters that a frame arrives. `kept`: a call or an answer, which is handed back when the client may not
 * have got it. `vital`: the link's own messages, and terminals. `event`: comes again when the client resumes.
 * `droppable`: a piece of something that a later message makes good.
 */
export type Importance = 'kept' | 'vital' | 'event' | 'droppable';

/** Sends to one socket, and never keeps more than so many bytes for a client that does not read. */
export type Outbox = Readonly<{
  /** `latestOf`: a waiting frame with the same key is replaced. */
  send: (frame: string | Uint8Array, importance: Importance, latestOf?: string) => void;
  /** Sends ahead of all that waits here: the last word before the socket is closed. */
  sendLast: (frame: string) => void;
  /** Resolves when the client has read most of what was sent, or when the outbox is shut. */
  room: () => Promise<void>;
  /** Asks the client whether it has got what must not be lost. */
  ask: () => void;
  /** To be called with what the client answers to pings. */
  answered: (payload: string) => void;
  /** To be called with the key of a call that the client has answered. */
  settle: (callKey: string) => void;
  /** To be called when the client is known to have got all that was sent. */
  settleAll: () => void;
  /** Kept frames that the client may not have got, oldest first. */
  takeBack: () => readonly KeptFrame[];
  /** Nothing more is sent; kept frames can still be taken back. */
  shut: () => void;
  /** Bytes that wait, in the socket and here. */
  waiting: () => number;
}>;

type Waiting = Readonly<{
  frame: string | Uint8Array;
  bytes: number;
  importance: Importance;
  latestOf: string | undefined;
  at: number;
}>;

/** `inSocket`: what the socket itself may hold before frames wait here, where they can still be dropped. */
type Limits = Readonly<{ inSocket: number; waiting: number }>;

/** A client that is further behind is better off coming back. */
const USUAL: Limits = { inSocket: 256 * 1024, waiting: 8 * 1024 * 1024 };

/** What the library calls an open socket. One that is being closed takes nothing. */
const OPEN = 1;

const sizeOf = (frame: string | Uint8Array): number =>
  typeof frame === 'string' ? Buffer.byteLength(frame) : frame.byteLength;

/** What an outbox tells of itself. */
export type OutboxReports = Readonly<{
  /** Dropping what may be dropped was not enough; told once. */
  overflow: () => void;
  /** So many droppable frames were left out; told when it is over. */
  dropped: (frames: number) => void;
}>;

/** An outbox of a socket. */
export const outbox = (
  socket: Pick<Socket, 'send' | 'ping' | 'bufferedAmount' | 'readyState'>,
  now: () => number,
  { overflow, dropped }: OutboxReports,
  limits: Limits = USUAL,
): Outbox => {
  const got = receipts((payload) => socket.ping(payload), now);
  const queue = new Set<Waiting>();
  const latest = new Map<string, Waiting>();
  let queued = 0;
  let isShut = false;
  let wanting: (() => void)[] = [];
  let leftOut = 0;

  const remove = (waiting: Waiting): void => {
    queue.delete(waiting);
    queued -= waiting.bytes;
    if (waiting.latestOf !== undefined) latest.delete(waiting.latestOf);
  };

  const takes = (): boolean => socket.readyState === OPEN && socket.bufferedAmount < limits.inSocket && !got.isFull();
  const hasRoom = (): boolean => queue.size === 0 && takes();

  const tellRoom = (): void => {
    if (wanting.length === 0 || !(isShut || hasRoom())) return;
    const told = wanting;
    wanting = [];
    for (const tell of told) tell();
  };

  const tellDropped = (): void => {
    if (leftOut > 0) dropped(leftOut);
    leftOut = 0;
  };

  const write = (frame: string | Uint8Array, importance: Importance, bytes?: number): void => {
    socket.send(frame, flushed);
    if (importance === 'kept' && typeof frame === 'string') got.note(frame, bytes ?? frame.length, callKeyOf(frame));
  };

  const flushed = (): void => {
    if (queue.size > 0 && !isShut) {
      for (const next of queue) {
        if (!takes()) break;
        remove(next);
        write(next.frame, next.importance, next.bytes);
      }
    }
    if (queue.size === 0) tellDropped();
    tellRoom();
  };

  /** One frame alone may be larger than all that may wait. */
  const isTooMuch = (): boolean => queued > limits.waiting && queue.size > 1;

  const enqueue = (waiting: Waiting): void => {
    const older = waiting.latestOf === undefined ? undefined : latest.get(waiting.latestOf);
    if (older !== undefined) remove(older);
    queue.add(waiting);
    queued += waiting.bytes;
    if (waiting.latestOf !== undefined) latest.set(waiting.latestOf, waiting);
    if (!isTooMuch()) return;
    for (const other of queue) {
      if (other.importance !== 'droppable') continue;
      remove(other);
      leftOut += 1;
    }
    if (isTooMuch()) overflow();
  };

  const takeBack = (): readonly KeptFrame[] => {
    const unsent: KeptFrame[] = [];
    for (const { importance, frame, at } of queue) {
      if (importance === 'kept' && typeof frame === 'string') unsent.push({ frame, at });
    }
    queue.clear();
    latest.clear();
    queued = 0;
    return [...got.takeBack(), ...unsent];
  };

  return {
    send: (frame, importance, latestOf) => {
      if (isShut) {
        // It was on its way when the socket went: it can still be taken back.
        if (importance === 'kept') queue.add({ frame, bytes: 0, importance, latestOf: undefined, at: now() });
      } else if (hasRoom()) write(frame, importance);
      else enqueue({ frame, bytes: sizeOf(frame), importance, latestOf, at: now() });
    },
    sendLast: (frame) => {
      if (!isShut && socket.readyState === OPEN) socket.send(frame);
    },
    room: () =>
      new Promise((resolve) => {
        if (isShut || hasRoom()) return resolve();
        wanting.push(resolve);
      }),
    ask: got.ask,
    answered: (payload) => {
      got.answered(payload);
      flushed();
    },
    settle: (callKey) => {
      got.settle(callKey);
      if (queue.size > 0) flushed();
    },
    settleAll: () => void got.takeBack(),
    takeBack,
    shut: () => {
      isShut = true;
      tellDropped();
      tellRoom();
    },
    waiting: () => socket.bufferedAmount + queued,
  };
};
