import type { MediaFile } from '../../kernel/media-upstream.ts';

/** What a form may hold. Other fields are skipped. */
export type FormSpec = Readonly<{
  /** The field of the one file. */
  file: Readonly<{ field: string; mostBytes: number }>;
  /** Each other field with the most bytes that it may have. */
  texts: Readonly<Record<string, number>>;
}>;

/** A form that has arrived. */
export type Form = Readonly<{
  /** Undefined when it was not sent. */
  file: MediaFile | undefined;
  /** The other fields that were sent. */
  texts: Readonly<Record<string, string>>;
  /** The file is there until the call has been answered and, when this was called, until the promise is settled. */
  keepUntil: (settled: Promise<unknown>) => void;
}>;
