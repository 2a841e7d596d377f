import type { Model } from '../../src/kernel/catalogue.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { ChatTask, DocumentPart, ImagePart, MediaSource } from '../../src/kernel/upstream.ts';

const MIB = 1024 * 1024;

/** What a provider takes besides text. An absent limit: it has none. */
type MediaRules = Readonly<{
  images: readonly string[];
  maxImages?: number;
  imageBytesTotal?: number;
  imageBytesEach?: number;
  documents: boolean;
  documentBytes?: number;
}>;

const JPEG = 'image/jpeg';
const PNG = 'image/png';
const WEBP = 'image/webp';
const GIF = 'image/gif';
const PDF = 'application/pdf';

const OTHERS: MediaRules = { images: [JPEG, PNG, WEBP, GIF], documents: false };

const RULES: Readonly<Record<string, MediaRules>> = {
  openai: { images: [JPEG, PNG, WEBP, GIF], maxImages: 500, imageBytesTotal: 50 * MIB, documents: true },
  anthropic: {
    images: [JPEG, PNG, GIF, WEBP],
    maxImages: 100,
    imageBytesTotal: 32 * MIB,
    documents: true,
    documentBytes: 32 * MIB,
  },
  google: {
    images: [JPEG, PNG, WEBP, 'image/heic', 'image/heif'],
    imageBytesTotal: 20 * MIB,
    documents: true,
    documentBytes: 20 * MIB,
  },
  xai: { images: [JPEG, PNG], imageBytesEach: 20 * MIB, documents: false },
};

const refuse = (detail: string): never => {
  throw new DomainError('validation_error', detail, { details: { param: 'messages' } });
};

/** Bytes behind base64, near enough for a limit; a provider's own file is the provider's to measure. */
const bytesOf = (source: MediaSource): number =>
  source.kind === 'base64' ? Math.floor((3 * source.data.length) / 4) : 0;

const has = (value: unknown, ...names: readonly string[]): boolean =>
  Array.isArray(value) && names.some((name) => value.includes(name));

/** True when the model looks at pictures. */
const sees = ({ capabilities }: Model): boolean => {
  const { vision, multimodal, modalities } = capabilities;
  if (typeof vision === 'boolean') return vision;
  if (typeof multimodal === 'object' && multimodal !== null && 'vision' in multimodal)
    return multimodal.vision === true;
  return typeof multimodal === 'boolean' ? multimodal : has(modalities, 'image', 'vision');
};

const checkImages = (provider: string, rules: MediaRules, images: readonly ImagePart[]): void => {
  const { maxImages = Infinity, imageBytesTotal = Infinity, imageBytesEach = Infinity } = rules;
  let total = 0;
  for (const { source } of images) {
    if (source.kind !== 'base64') continue;
    const bytes = bytesOf(source);
    total += bytes;
    if (!rules.images.includes(source.mediaType)) {
      refuse(`${provider} takes no ${source.mediaType}; send ${rules.images.join(', ')}`);
    }
    if (bytes > imageBytesEach) refuse(`an image is larger than ${imageBytesEach / MIB} MiB; make it smaller`);
  }
  if (images.length > maxImages) refuse(`${provider} takes at most ${maxImages} images; send fewer`);
  if (total > imageBytesTotal) refuse(`the images are larger than ${imageBytesTotal / MIB} MiB together; send fewer`);
};

const checkDocuments = (provider: string, rules: MediaRules, documents: readonly DocumentPart[]): void => {
  const { documentBytes = Infinity } = rules;
  if (documents.length > 0 && !rules.documents) refuse(`${provider} takes no documents; send the text instead`);
  let total = 0;
  for (const { source } of documents) {
    if (source.kind === 'base64' && source.mediaType !== PDF) refuse(`only ${PDF} documents are taken`);
    total += bytesOf(source);
  }
  if (total > documentBytes) refuse(`the documents are larger than ${documentBytes / MIB} MiB together; send fewer`);
};

/** Refuses media that the model or its provider cannot take, before anything is charged. */
export const checkMedia = (provider: string, model: Model, { messages }: ChatTask): void => {
  const images: ImagePart[] = [];
  const documents: DocumentPart[] = [];
  for (const { parts } of messages) {
    for (const part of parts) {
      if (part.type === 'image') images.push(part);
      else if (part.type === 'document') documents.push(part);
    }
  }
  if (images.length + documents.length === 0) return;
  if (!sees(model)) {
    throw new DomainError(
      'bad_request',
      `${model.id} reads text only; choose a model with vision or leave the media out`,
      { details: { param: 'messages' } },
    );
  }
  const rules = RULES[provider] ?? OTHERS;
  checkImages(provider, rules, images);
  checkDocuments(provider, rules, documents);
};
