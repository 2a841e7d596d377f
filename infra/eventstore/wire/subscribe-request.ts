import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import type { Position } from '../../../src/kernel/event-store.ts';

const { ReadReq } = streamsPb;
const { Options } = ReadReq;
const { Empty } = sharedPb;

/** Events between two checkpoints of a quiet filter: how far a reader may lag behind what it does not want. */
const CHECKPOINT_INTERVAL = 1;
const SEARCH_WINDOW = 32;

/** The store's own event types start with a dollar sign. */
const NOT_A_SYSTEM_TYPE = '^[^$].*';

const filterOf = (prefixes: readonly string[]): InstanceType<typeof Options.FilterOptions> => {
  const filter = new Options.FilterOptions();
  const expression = new Options.FilterOptions.Expression();
  if (prefixes.length === 0) {
    expression.setRegex(NOT_A_SYSTEM_TYPE);
    filter.setEventType(expression);
  } else {
    expression.setPrefixList([...prefixes]);
    filter.setStreamIdentifier(expression);
  }
  filter.setMax(SEARCH_WINDOW);
  filter.setCheckpointintervalmultiplier(CHECKPOINT_INTERVAL);
  return filter;
};

const placeOf = (from: Position | undefined): InstanceType<typeof Options.AllOptions> => {
  const all = new Options.AllOptions();
  if (from === undefined) {
    all.setStart(new Empty());
    return all;
  }
  const position = new Options.Position();
  position.setCommitPosition(from.commit.toString());
  position.setPreparePosition(from.prepare.toString());
  all.setPosition(position);
  return all;
};

/** The bytes of a `ReadReq` that follows the log after `from`; no prefixes: all but system events. */
export const subscribeRequest = (from: Position | undefined, prefixes: readonly string[]): Buffer => {
  const request = new ReadReq();
  const options = new Options();
  const uuid = new Options.UUIDOption();
  uuid.setString(new Empty());
  options.setAll(placeOf(from));
  options.setSubscription(new Options.SubscriptionOptions());
  options.setUuidOption(uuid);
  options.setFilter(filterOf(prefixes));
  request.setOptions(options);
  return Buffer.from(request.serializeBinary());
};
