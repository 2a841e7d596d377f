import type { NewEvent } from '../wire/record.ts';

/** Bytes an event counts with against the limit of one append. */
export const sizeOf = (event: NewEvent): number =>
  event.data.length + event.customMetadata.length + Buffer.byteLength(event.type);

/** Why a stream cannot be written at all, if so. */
export const whyUnwritable = (stream: string): string | undefined => {
  if (stream === '' || stream === '$$') return 'a stream name must not be empty';
  if (stream === '$all') return '$all cannot be written';
  return stream.startsWith('$$$$') ? 'metadata has no metadata' : undefined;
};

/** Why an event cannot be stored, if so. */
export const whyMalformed = (event: NewEvent): string | undefined => {
  if (event.id === '') return 'an event needs an id';
  if (event.type === '') return 'an event needs a type';
  return event.contentType === '' ? 'an event needs a content type' : undefined;
};
