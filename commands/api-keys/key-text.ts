import { createHash, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** How every key begins, so that people and scanners of leaked secrets know one. */
const KEY_START = 'ptc_';

/** Bytes of chance in a key: it cannot be guessed, and so its plain hash gives nothing away. */
export const SECRET_BYTES = 32;

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const SHAPE = /^ptc_([0-9a-f]{32})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;

/** Letters and digits only, so that a double click selects the whole key. */
const base62 = (value: bigint, length: number): string => {
  let text = '';
  for (let rest = value; rest > 0n; rest /= 62n) text = (DIGITS[Number(rest % 62n)] ?? '') + text;
  return text.padStart(length, '0');
};

const checksumOf = (text: string): string => base62(BigInt(crc32(text)), CHECKSUM_LENGTH);

/** A key that has just been made. `text` is told once and kept nowhere. */
export type NewKeyText = Readonly<{ text: string; hash: string; lastFour: string }>;

const hashOf = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

/** The start of a key's text that is no secret. */
export const prefixOf = (keyId: string): string => KEY_START + keyId.slice(0, 8);

/** The text of a key: its id, the secret and a checksum. `secret` is SECRET_BYTES long. */
export const newKeyText = (keyId: string, secret: Uint8Array): NewKeyText => {
  const digits = base62(BigInt(`0x${Buffer.from(secret).toString('hex')}`), SECRET_LENGTH);
  const body = `${KEY_START}${keyId.replaceAll('-', '')}_${digits}`;
  const text = body + checksumOf(body);
  return { text, hash: hashOf(text).toString('hex'), lastFour: digits.slice(-4) };
};

/** True for a text that is meant as a key, be it a good one or not. */
export const looksLikeKey = (text: string): boolean => text.startsWith(KEY_START);

/** The id in a key's text; undefined when the text is mistyped, cut off or no key at all. */
export const keyIdIn = (text: string): string | undefined => {
  const match = SHAPE.exec(text);
  if (match === null || checksumOf(text.slice(0, -CHECKSUM_LENGTH)) !== match[3]) return undefined;
  return match[1]?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

/** Compares a key with the hash that was kept, in a time that tells nothing. */
export const isTextOf = (text: string, hash: string): boolean => {
  const kept = Buffer.from(hash, 'hex');
  const offered = hashOf(text);
  return kept.length === offered.length && timingSafeEqual(kept, offered);
};
