/** What the metadata of a stream asks for. Ages are in milliseconds. */
export type StreamPolicy = {
  maxCount?: number;
  maxAge?: number;
  /** Events with a lower revision are gone. */
  truncateBefore?: number;
  /** Deleted, but may be written again: the revisions go on. */
  softDeleted: boolean;
};

/** The policy of a stream without metadata. */
export const noPolicy: StreamPolicy = { softDeleted: false };

/** Of metadata only the newest counts. */
export const metastreamPolicy: StreamPolicy = { softDeleted: false, maxCount: 1 };

/** A `$tb` of the largest 64-bit integer marks a soft-deleted stream. */
export const softDeleteMarker = '9223372036854775807';

/** The name of the stream that holds a stream's metadata. */
export const metastreamOf = (stream: string): string => `$$${stream}`;
/** Whether a stream holds the metadata of another. */
export const isMetastream = (stream: string): boolean => stream.startsWith('$$');
/** The stream whose metadata a metastream holds. */
export const originalOf = (metastream: string): string => metastream.slice(2);

const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;

const parseObject = (data: Uint8Array): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // Metadata that is not JSON asks for nothing.
    return {};
  }
};

/** Reads the policy out of the data of a metadata event. */
export const readPolicy = (data: Uint8Array): StreamPolicy => {
  const metadata = parseObject(data);
  const maxCount = count(metadata['$maxCount']);
  const maxAge = count(metadata['$maxAge']);
  const truncateBefore = count(metadata['$tb']);
  const softDeleted = truncateBefore !== undefined && truncateBefore >= Number(softDeleteMarker);
  return {
    softDeleted,
    ...(maxCount === undefined ? {} : { maxCount }),
    ...(maxAge === undefined ? {} : { maxAge: maxAge * 1000 }),
    ...(truncateBefore === undefined ? {} : { truncateBefore }),
  };
};

/** Metadata with another `$tb`, everything else kept. */
export const withTruncateBefore = (data: Uint8Array, revision: number): Buffer =>
  Buffer.from(JSON.stringify({ ...parseObject(data), $tb: revision }));

/** The lowest revision a reader may see, given the last one. */
export const firstReadable = (policy: StreamPolicy, last: number): number => {
  if (policy.softDeleted) return last + 1;
  return Math.max(policy.truncateBefore ?? 0, policy.maxCount === undefined ? 0 : last - policy.maxCount + 1);
};

/** Whether an event is too old to be read. Times are in milliseconds since the epoch. */
export const isExpired = (policy: StreamPolicy, created: number, now: number): boolean =>
  policy.maxAge !== undefined && created < now - policy.maxAge;
