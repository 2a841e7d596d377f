import { DomainError } from '../../../kernel/errors.ts';
import type { DocumentPart, ImagePart, MediaSource, Part } from '../../../kernel/upstream.ts';
import { paddedBase64 } from './base64-text.ts';

type Members = Readonly<Record<string, unknown>>;

/** Refuses what stands at a place of the body. */
export const refuseAt = (where: string, what: string): never => {
  throw new DomainError('validation_error', `${where} ${what}`, { details: { param: where } });
};

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w=.-]+)*;base64,/i;
const IMAGES: ReadonlySet<string> = new Set([
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/gif',
  'image/heic',
  'image/heif',
]);

/** `image/jpg` is a common misspelling. */
const mediaTypeOf = (text: string): string => {
  const type = text.toLowerCase();
  return type === 'image/jpg' ? 'image/jpeg' : type;
};

const base64 = (mediaType: string, text: string, where: string): MediaSource => {
  if (text === '') return refuseAt(where, 'is empty');
  // White space is rare: it is looked for only in what is no base64 as it stands.
  const data =
    paddedBase64(text) ??
    paddedBase64(text.replace(/\s+/g, '')) ??
    refuseAt(where, 'is not valid base64; encode the bytes anew');
  return { kind: 'base64', mediaType: mediaTypeOf(mediaType), data };
};

const sourceOfUrl = (url: string, where: string): MediaSource => {
  // The pattern is anchored and short: a large body of data is not searched.
  const match = DATA_URL.exec(url.slice(0, 200));
  if (match?.[1] !== undefined) return base64(match[1], url.slice(match[0].length), where);
  return /^https?:/i.test(url)
    ? refuseAt(where, 'points to another server; send the data itself as a data URL')
    : refuseAt(where, 'must be a data URL in base64');
};

const sourceOf = (source: unknown, where: string): MediaSource => {
  const { type, media_type, data, url, file_id } = (source ?? {}) as Members;
  if (type === 'base64' && typeof media_type === 'string' && typeof data === 'string') {
    return base64(media_type, data, where);
  }
  if (type === 'url' && typeof url === 'string') return sourceOfUrl(url, where);
  if (type === 'file' && typeof file_id === 'string' && file_id !== '') return { kind: 'file', fileId: file_id };
  return refuseAt(
    `${where}.source`,
    "must be {type:'base64',media_type,data}, {type:'url',url} or {type:'file',file_id}",
  );
};

const image = (source: MediaSource, detail: unknown, where: string): ImagePart => {
  if (source.kind === 'base64' && !IMAGES.has(source.mediaType))
    refuseAt(where, `is ${source.mediaType}, which is no image`);
  return { type: 'image', source, ...(typeof detail === 'string' ? { detail } : {}) };
};

const text = (part: Members, where: string): Part =>
  typeof part['text'] === 'string'
    ? { type: 'text', text: part['text'] }
    : refuseAt(`${where}.text`, 'must be a string');

const imageUrl = ({ image_url, detail }: Members, where: string): Part => {
  if (typeof image_url === 'string') return image(sourceOfUrl(image_url, `${where}.image_url`), detail, where);
  const { url, detail: inner } = (image_url ?? {}) as Members;
  if (typeof url !== 'string') return refuseAt(`${where}.image_url`, 'must be a data URL or {url}');
  return image(sourceOfUrl(url, `${where}.image_url.url`), inner, where);
};

const inputImage = (part: Members, where: string): Part =>
  typeof part['file_id'] === 'string'
    ? image({ kind: 'file', fileId: part['file_id'] }, part['detail'], where)
    : imageUrl(part, where);

const document = ({ source }: Members, where: string): DocumentPart => {
  const { file_name, fileName } = (source ?? {}) as Members;
  const name = file_name ?? fileName;
  return { type: 'document', source: sourceOf(source, where), ...(typeof name === 'string' ? { fileName: name } : {}) };
};

/** The caller's wish that the provider keeps the prompt up to here; kept for five minutes, as its price assumes. */
const cachePointOf = ({ cache_control: control }: Members, where: string): Readonly<{ cachePoint?: true }> => {
  if (control === undefined || control === null) return {};
  const { type, ttl } = control as Members;
  return type === 'ephemeral' && (ttl === undefined || ttl === '5m')
    ? { cachePoint: true }
    : refuseAt(`${where}.cache_control`, "must be {type:'ephemeral'}; nothing is kept longer than '5m'");
};

const READERS: Readonly<Record<string, ((part: Members, where: string) => Part) | undefined>> = {
  text,
  input_text: text,
  output_text: text,
  image_url: imageUrl,
  input_image: inputImage,
  image: (part, where) => image(sourceOf(part['source'], where), part['detail'], where),
  document,
};

const partOf = (value: unknown, where: string): Part => {
  if (typeof value === 'string') return { type: 'text', text: value };
  const part = (value ?? {}) as Members;
  const type = part['type'];
  const read = typeof type === 'string' && Object.hasOwn(READERS, type) ? READERS[type] : undefined;
  if (read !== undefined) return { ...read(part, where), ...cachePointOf(part, where) };
  return refuseAt(where, `has a type that is not known; use ${Object.keys(READERS).join(', ')}`);
};

/** Reads a message's content, plain or in parts. Throws DomainError `validation_error` that names the place. */
export const partsOf = (content: unknown, where: string): readonly Part[] => {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (content === null || content === undefined) return [];
  if (!Array.isArray(content)) return refuseAt(where, 'must be a string or a list of parts');
  return content.map((part, index) => partOf(part, `${where}.${index}`));
};
