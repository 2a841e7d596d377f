import type { Readable } from 'node:stream';
import { DomainError } from '../../kernel/errors.ts';
import type { MediaFile } from '../../kernel/media-upstream.ts';
import type { FormSpec } from './form.ts';
import type { PartHeader } from './part-header.ts';
import type { Spool, SpoolFile } from './spool.ts';

/** What has been taken out of a form so far. */
export type FormParts = Readonly<{
  /** Reads one part to its end. Throws DomainErrors `bad_request`, `payload_too_large`, `service_unavailable`. */
  take: (header: PartHeader, part: Readable) => Promise<void>;
  file: () => MediaFile | undefined;
  texts: () => Readonly<Record<string, string>>;
  /** Gives the file up. */
  discard: () => Promise<void>;
}>;

const tooLarge = (what: string, mostBytes: number): DomainError =>
  new DomainError('payload_too_large', `${what} may have at most ${mostBytes} bytes; send less`, {
    details: { max_bytes: mostBytes },
  });

const sentTwice = (field: string): DomainError =>
  new DomainError('bad_request', `the form holds '${field}' more than once; send it once`);

const textOf = (field: string, bytes: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DomainError('bad_request', `the field '${field}' of the form is not valid UTF-8`);
  }
};

/** Takes the parts of one form: the file to disk, texts into memory, the rest nowhere. */
export const formParts = (spec: FormSpec, spool: Spool): FormParts => {
  const { field, mostBytes } = spec.file;
  const texts = new Map<string, string>();
  const seen = new Set<string>();
  let spooled: SpoolFile | undefined;
  let file: MediaFile | undefined;

  const takeFile = async ({ fileName = '', mediaType = '' }: PartHeader, part: Readable): Promise<void> => {
    const target = await spool();
    spooled = target;
    for await (const bytes of part as AsyncIterable<Buffer>) {
      if (target.size() + bytes.length > mostBytes) throw tooLarge(`the file in '${field}'`, mostBytes);
      await target.write(bytes);
    }
    file = { name: fileName, mediaType, size: target.size(), sha256: target.sha256(), read: target.read };
  };

  const takeText = async (name: string, most: number, part: Readable): Promise<void> => {
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const bytes of part as AsyncIterable<Buffer>) {
      size += bytes.length;
      if (size > most) throw tooLarge(`the field '${name}'`, most);
      pieces.push(bytes);
    }
    texts.set(name, textOf(name, Buffer.concat(pieces, size)));
  };

  return {
    take: async (header, part) => {
      const { name } = header;
      const most = Object.hasOwn(spec.texts, name) ? spec.texts[name] : undefined;
      if (name !== field && most === undefined) {
        part.resume();
        return;
      }
      if (seen.has(name)) throw sentTwice(name);
      seen.add(name);
      await (most === undefined ? takeFile(header, part) : takeText(name, most, part));
    },
    file: () => file,
    texts: () => Object.fromEntries(texts),
    discard: async () => {
      await spooled?.close();
    },
  };
};
