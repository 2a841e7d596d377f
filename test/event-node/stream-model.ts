/** What a stream is in the simplest possible terms, to compare the node with. */
export type StreamModel = {
  /** Every number ever appended, by revision. */
  numbers: number[];
  hasMetadata: boolean;
  softDeleted: boolean;
  tombstoned: boolean;
  truncateBefore: number;
  maxCount: number;
};

export const emptyStream = (): StreamModel => ({
  numbers: [],
  hasMetadata: false,
  softDeleted: false,
  tombstoned: false,
  truncateBefore: 0,
  maxCount: Infinity,
});

export type Expectation = 'any' | 'no_stream' | 'stream_exists' | number;
export type Outcome = 'stream-deleted' | 'stream-not-found' | 'wrong-expected-version' | number[];

const isMet = (model: StreamModel, expected: Expectation): boolean => {
  const last = model.numbers.length - 1;
  if (expected === 'any') return true;
  if (expected === 'no_stream') return last < 0 || model.softDeleted;
  return expected === 'stream_exists' ? last >= 0 || model.hasMetadata : expected === last;
};

const revive = (model: StreamModel): void => {
  if (!model.softDeleted) return;
  model.softDeleted = false;
  model.truncateBefore = model.numbers.length;
};

/** Appends numbers; answers them, or why not. */
export const append = (model: StreamModel, expected: Expectation, numbers: number[]): Outcome => {
  if (model.tombstoned) return 'stream-deleted';
  if (!isMet(model, expected)) return 'wrong-expected-version';
  revive(model);
  model.numbers.push(...numbers);
  return numbers;
};

/** Replaces the metadata. */
export const setMetadata = (model: StreamModel, metadata: { maxCount?: number; truncateBefore?: number }): Outcome => {
  if (model.tombstoned) return 'stream-deleted';
  model.truncateBefore = metadata.truncateBefore ?? 0;
  model.maxCount = metadata.maxCount ?? Infinity;
  model.hasMetadata = true;
  revive(model);
  return [];
};

export const softDelete = (model: StreamModel): Outcome => {
  if (model.tombstoned) return 'stream-deleted';
  Object.assign(model, { softDeleted: true, hasMetadata: true, maxCount: Infinity, truncateBefore: 0 });
  return [];
};

export const tombstone = (model: StreamModel): Outcome => {
  if (model.tombstoned) return 'stream-deleted';
  model.tombstoned = true;
  return [];
};

export type Reading = { backwards: boolean; from: number | 'edge'; limit: number };

/** Reads numbers; the edge is the start forwards and the end backwards. */
export const read = (model: StreamModel, { backwards, from, limit }: Reading): Outcome => {
  if (model.tombstoned) return 'stream-deleted';
  const last = model.numbers.length - 1;
  if (last < 0 || model.softDeleted) return 'stream-not-found';
  const visible = model.numbers
    .map((number, revision) => ({ number, revision }))
    .filter(({ revision }) => revision >= model.truncateBefore && revision > last - model.maxCount);
  const wanted = backwards
    ? visible.filter(({ revision }) => from === 'edge' || revision <= from).toReversed()
    : visible.filter(({ revision }) => from === 'edge' || revision >= from);
  return wanted.slice(0, limit).map(({ number }) => number);
};
