import type { MediaSource } from '../../../src/kernel/upstream.ts';

/** Media as these APIs take them inline. A file of the provider's own stands for itself. */
export const dataUrlOf = (source: MediaSource): string =>
  source.kind === 'file' ? source.fileId : `data:${source.mediaType};base64,${source.data}`;
