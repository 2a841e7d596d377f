/** A message of a client that has the right shape so far. */
export type Inbound = Readonly<{
  type: string;
  /** Undefined when it has none, or one that is no object. */
  payload: Readonly<Record<string, unknown>> | undefined;
  /** True when some key, at any depth, has an underscore: the iOS app throws away what has such a key. */
  hasForbiddenKey: boolean;
}>;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** True when an object anywhere in `value` has a key with an underscore. Depth costs no stack. */
export const hasUnderscoreKey = (value: unknown): boolean => {
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (Array.isArray(next)) {
      for (const item of next as readonly unknown[]) if (typeof item === 'object') waiting.push(item);
    } else if (isObject(next)) {
      for (const [key, member] of Object.entries(next)) {
        if (key.includes('_')) return true;
        if (typeof member === 'object') waiting.push(member);
      }
    }
  }
  return false;
};

/** Reads a text frame; undefined when it is no JSON object with a type. */
export const readInbound = (text: string): Inbound | undefined => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || typeof value['type'] !== 'string') return undefined;
  const { type, payload } = value;
  return {
    type,
    payload: isObject(payload) ? payload : undefined,
    // Most frames have none at all, and then there is nothing to look for.
    hasForbiddenKey: text.includes('_') && hasUnderscoreKey(value),
  };
};

/** A member that is a text with something in it. */
export const textOf = (payload: Readonly<Record<string, unknown>> | undefined, name: string): string | undefined => {
  const value = payload?.[name];
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
};

/** A member that is true or false, or what stands in for it. */
export const flagOf = (payload: Readonly<Record<string, unknown>>, name: string, usual: boolean): boolean => {
  const value = payload[name];
  return typeof value === 'boolean' ? value : usual;
};

export { isObject };
