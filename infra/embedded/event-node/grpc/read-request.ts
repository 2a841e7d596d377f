import type { ReadReq } from '../wire/protocol.ts';
import { streamsPb } from '../wire/protocol.ts';
import { compileFilter, type EventFilter } from '../streams/event-filter.ts';
import { invalidArgument } from './refusals.ts';

/** Where to begin: an end of the log or stream, or a number whose inclusion depends on the call. */
export type StartingPoint = 'start' | 'end' | number;

/** A `ReadReq` in the node's terms. */
export type ReadRequest = {
  target: { kind: 'all' } | { kind: 'stream'; stream: string };
  from: StartingPoint;
  backwards: boolean;
  resolveLinks: boolean;
  structuredIds: boolean;
  /** Missing for a subscription. */
  limit: number | undefined;
  filter: { accepts: EventFilter; checkpointEvery: number } | undefined;
};

/** What the original looks through between checkpoints unless the client says otherwise. */
const defaultSearchWindow = 32;

type Options = ReadReq.Options;

const readFilter = (options: Options): ReadRequest['filter'] => {
  const filter = options.getFilter();
  if (filter === undefined) return undefined;
  const byType = filter.getEventType();
  const expression = byType ?? filter.getStreamIdentifier();
  if (expression === undefined) throw invalidArgument('a filter needs an event type or a stream name');
  const window = filter.hasMax() ? filter.getMax() : defaultSearchWindow;
  try {
    const accepts = compileFilter({
      on: byType === undefined ? 'stream' : 'type',
      prefixes: expression.getPrefixList(),
      regex: expression.getRegex(),
    });
    return { accepts, checkpointEvery: Math.max(1, window * filter.getCheckpointintervalmultiplier()) };
  } catch (error) {
    throw invalidArgument(`the filter is not a regular expression: ${String(error)}`);
  }
};

const readTarget = (options: Options): Pick<ReadRequest, 'target' | 'from'> => {
  const stream = options.getStream();
  if (stream !== undefined) {
    const name = Buffer.from(stream.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString('utf8');
    if (name === '') throw invalidArgument('a stream name must not be empty');
    const from = stream.hasRevision() ? Number(stream.getRevision()) : stream.hasEnd() ? 'end' : 'start';
    return { target: { kind: 'stream', stream: name }, from };
  }
  const all = options.getAll();
  if (all === undefined) throw invalidArgument('a read needs a stream or $all');
  const position = all.getPosition();
  const from = position !== undefined ? Number(position.getCommitPosition()) : all.hasEnd() ? 'end' : 'start';
  return { target: { kind: 'all' }, from };
};

/** Reads a request; throws a Refusal when it makes no sense. */
export const parseReadRequest = (request: ReadReq): ReadRequest => {
  const options = request.getOptions();
  if (options === undefined) throw invalidArgument('a read needs options');
  const backwards = options.getReadDirection() === streamsPb.ReadReq.Options.ReadDirection.BACKWARDS;
  return {
    ...readTarget(options),
    backwards,
    resolveLinks: options.getResolveLinks(),
    structuredIds: options.getUuidOption()?.hasStructured() ?? false,
    limit: options.hasSubscription() ? undefined : Number(options.getCount()),
    filter: readFilter(options),
  };
};
