import { DomainError } from '../../src/kernel/errors.ts';
import type { MediaFile } from '../../src/kernel/media-upstream.ts';

/** The kinds of sound that are taken, with what a file of each is called. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  'audio/mpeg': 'mp3',
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/webm': 'webm',
  'audio/ogg': 'ogg',
  'audio/mp4': 'm4a',
  'audio/flac': 'flac',
  'audio/aac': 'aac',
};

/** Other names for some of them. */
const SAME_AS: Readonly<Record<string, string>> = {
  'audio/x-m4a': 'audio/mp4',
  'audio/m4a': 'audio/mp4',
  'audio/mp3': 'audio/mpeg',
  'audio/wave': 'audio/wav',
  'audio/x-flac': 'audio/flac',
};

const USUAL_TYPE = 'audio/webm';
const USUAL_NAME = 'audio.webm';
const LEAST_BYTES = 1_024;
const LONGEST_NAME = 255;

const refuse = (detail: string): never => {
  throw new DomainError('validation_error', detail);
};

const kindOf = (sent: string): string => {
  const type = (sent.split(';')[0] ?? '').trim().toLowerCase();
  const kind = type === '' ? USUAL_TYPE : (SAME_AS[type] ?? type);
  if (Object.hasOwn(EXTENSIONS, kind)) return kind;
  return refuse(`the file's type is not one of ${Object.keys(EXTENSIONS).join(', ')}`);
};

const nameOf = (sent: string, kind: string): string => {
  const name = sent === '' ? USUAL_NAME : sent;
  if (name.length > LONGEST_NAME || name.includes('..') || /[/\\\p{Cc}]/u.test(name)) {
    return refuse("the file's name must be a plain one, without a path");
  }
  const extension = EXTENSIONS[kind] ?? '';
  if (name === USUAL_NAME) return `audio.${extension}`;
  // Providers tell the kind of a file by its name.
  return /\.\w{1,8}$/.test(name) ? name : `${name}.${extension}`;
};

/** The file with the name and the type that providers understand. Throws DomainError `validation_error`. */
export const soundFileOf = (file: MediaFile | undefined): MediaFile => {
  if (file === undefined) return refuse("the form has no file; send it in the field 'file'");
  if (file.size === 0) refuse('the file is empty');
  const mediaType = kindOf(file.mediaType);
  const name = nameOf(file.name, mediaType);
  if (file.size < LEAST_BYTES) refuse(`the file has ${file.size} bytes; less than ${LEAST_BYTES} hold no speech`);
  return { ...file, name, mediaType };
};
