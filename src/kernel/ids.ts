import { createHash } from 'node:crypto';

const hexToUuid = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;

const NAMESPACE = Buffer.from('8f0c6f0e1c9b4f5e9d0a6b7c2f4e8d31', 'hex');

/** Name-based UUID, version 5 (RFC 9562 section 5.5), in this project's own namespace: same name, same id, anywhere. */
export const uuidOf = (name: string): string => {
  const digest = createHash('sha1').update(NAMESPACE).update(name, 'utf8').digest();
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6);
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
  return hexToUuid(digest.toString('hex').slice(0, 32));
};

/**
 * The id of the n-th event that a command with this key says on this stream. The store takes an append of known ids for a
 * repetition, so the content is part of it: a rival that decides the same key in its own words, with its own time, is to
 * be found by its revision.
 */
export const eventIdOf = (stream: string, key: string, ordinal: number, content = ''): string =>
  uuidOf(`${stream}|${key}|${ordinal}|${content}`);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True for the text form of any UUID, in either case. */
export const isUuid = (text: string): boolean => UUID.test(text);
