import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import { sizeOf, whyMalformed, whyUnwritable } from '../streams/append-limits.ts';
import type { NewEvent } from '../wire/record.ts';
import { batchSuccess, readBatchPart, type BatchOptions, type BatchPart } from '../wire/batch-messages.ts';
import type { Appender } from './appender.ts';
import {
  badBatch,
  batchTooLarge,
  deadlinePassed,
  deletedStream,
  refusedBatch,
  wrongRevision,
  type BatchRefusal,
} from './batch-refusals.ts';
import type { CredentialCheck } from './credentials.ts';
import { toStatus } from './refusals.ts';

/** Batches of one call that may be on their way to the disk; then the call is not read until some are there. */
const maxInFlight = 1024;

/** A batch whose parts are still coming. When it is refused early, its other parts are let go by. */
type OpenBatch = { options: BatchOptions; events: NewEvent[]; bytes: number; refused: boolean };

const addPart = (batch: OpenBatch, part: BatchPart, maxBytes: number): BatchRefusal | undefined => {
  for (const event of part.events) {
    const fault = whyMalformed(event);
    if (fault !== undefined) return badBatch(status.INVALID_ARGUMENT, fault);
    batch.bytes += sizeOf(event);
    if (batch.bytes > maxBytes) return batchTooLarge(maxBytes);
    batch.events.push(event);
  }
  return undefined;
};

const whyNotNow = ({ options }: OpenBatch): BatchRefusal | undefined => {
  const fault = whyUnwritable(options.stream);
  if (fault !== undefined) return badBatch(status.INVALID_ARGUMENT, fault);
  return options.deadline <= Date.now() ? deadlinePassed() : undefined;
};

const store = async (appender: Appender, correlation: Buffer, batch: OpenBatch): Promise<Buffer> => {
  const { stream, expected } = batch.options;
  const reason = whyNotNow(batch);
  if (reason !== undefined) return refusedBatch(correlation, stream, reason);
  const outcome = await appender.append(stream, expected, batch.events);
  if (outcome.kind === 'stored') return batchSuccess(correlation, stream, outcome.revision, outcome.position);
  const why = outcome.kind === 'deleted' ? deletedStream(stream) : wrongRevision(expected, outcome.current);
  return refusedBatch(correlation, stream, why);
};

/** Answers a call that carries any number of batches, interleaved, each answered when it is safe on disk. */
export const answerBatchAppend = (
  appender: Appender,
  check: CredentialCheck,
  call: ServerDuplexStream<Buffer, Buffer>,
): void => {
  const open = new Map<string, OpenBatch>();
  let inFlight = 0;
  let ended = false;
  let over = false;
  let draining = false;

  const finish = (error?: unknown): void => {
    if (over) return;
    over = true;
    open.clear();
    if (error === undefined) call.end();
    else call.emit('error', toStatus(error));
  };
  const reply = (message: Buffer): void => {
    if (over || call.cancelled) return;
    // A client that does not read its answers sends no more questions.
    if (call.write(message) || draining) return;
    draining = true;
    call.pause();
    call.once('drain', () => {
      draining = false;
      if (inFlight < maxInFlight) call.resume();
    });
  };
  const settle = (): void => {
    inFlight -= 1;
    if (inFlight === maxInFlight - 1 && !draining) call.resume();
    if (ended && inFlight === 0) finish();
  };
  const complete = (correlation: Buffer, batch: OpenBatch): void => {
    inFlight += 1;
    if (inFlight >= maxInFlight) call.pause();
    store(appender, correlation, batch)
      .catch((error: unknown) => {
        const { code, details } = toStatus(error);
        return refusedBatch(correlation, batch.options.stream, badBatch(code, details));
      })
      .then(reply)
      .then(settle, finish);
  };
  const take = (part: BatchPart): void => {
    const name = part.correlation.toString('latin1');
    const known = open.get(name);
    const options = known?.options ?? part.options;
    if (options === undefined) throw new RangeError('a batch begins with options');
    if (open.size >= maxInFlight) throw new RangeError('too many batches are open on one call');
    const batch = known ?? { options, events: [], bytes: 0, refused: false };
    if (!batch.refused) {
      const reason = addPart(batch, part, appender.maxBytes);
      if (reason !== undefined) {
        batch.refused = true;
        batch.events = [];
        reply(refusedBatch(part.correlation, options.stream, reason));
      } else if (part.final) complete(part.correlation, batch);
    }
    if (part.final) open.delete(name);
    else open.set(name, batch);
  };
  try {
    check(call.metadata);
  } catch (error) {
    finish(error);
  }
  call.on('data', (message: Buffer) => {
    if (over) return;
    try {
      take(readBatchPart(message));
    } catch (error) {
      finish(error);
    }
  });
  call.on('end', () => {
    ended = true;
    if (inFlight === 0) finish();
  });
  call.on('cancelled', () => {
    over = true;
    open.clear();
  });
};
