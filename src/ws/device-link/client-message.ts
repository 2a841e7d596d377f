type Json = Readonly<Record<string, unknown>>;

/** A message of a client that has the right shape so far. */
export type ClientMessage = Readonly<{
  type: string;
  /** Undefined when it has none, or one that is no object. */
  payload: Json | undefined;
  /** Why the other clients could not read it; undefined when they can. */
  unreadable: string | undefined;
  /** Size of the frame. */
  bytes: number;
}>;

/** What a frame turned out to be: a message, or why it is none. */
export type ReadFrame = ClientMessage | 'no-json' | 'no-type';

/** The desktop's reader stops at 128 levels; what we put around a payload needs some of them. */
const DEEPEST = 100;

const UNDERSCORE = 'keys with an underscore are not passed on; use camelCase';
const TOO_DEEP = `more than ${DEEPEST} levels are not passed on`;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const hasMany = (text: string, mark: string): boolean => {
  let count = 0;
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) {
    count += 1;
    if (count >= DEEPEST / 2) return true;
  }
  return false;
};

/**
 * The iOS app throws away what has an underscore in a key, the desktop what is too deep. Depth costs no stack here: what
 * waits is a list, a level at a time.
 */
const whyUnreadable = (value: unknown): string | undefined => {
  let level: unknown[] = [value];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > DEEPEST) return TOO_DEEP;
    const below: unknown[] = [];
    for (const parent of level) {
      if (typeof parent !== 'object' || parent === null) continue;
      if (!Array.isArray(parent) && Object.keys(parent).some((key) => key.includes('_'))) return UNDERSCORE;
      for (const child of Object.values(parent)) if (typeof child === 'object' && child !== null) below.push(child);
    }
    level = below;
  }
  return undefined;
};

/** Most frames have no underscore at all and few brackets: then there is nothing to look for. */
const maybeUnreadable = (text: string): boolean => text.includes('_') || hasMany(text, '{') || hasMany(text, '[');

/** Reads a text frame. */
export const readClientMessage = (text: string, bytes: number): ReadFrame => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'no-json';
  }
  if (!isObject(value) || typeof value['type'] !== 'string') return 'no-type';
  const { type, payload } = value;
  return {
    type,
    payload: isObject(payload) ? payload : undefined,
    unreadable: maybeUnreadable(text) ? whyUnreadable(value) : undefined,
    bytes,
  };
};

/** A member that is a text with something in it, and not more than `longest` characters. */
export const textOf = (payload: Json | undefined, name: string, longest = Infinity): string | undefined => {
  const value = payload?.[name];
  return typeof value === 'string' && value.length <= longest && value.trim() !== '' ? value : undefined;
};

/** A member that is true or false, or what stands in for it. */
export const flagOf = (payload: Json, name: string, usual: boolean): boolean => {
  const value = payload[name];
  return typeof value === 'boolean' ? value : usual;
};
