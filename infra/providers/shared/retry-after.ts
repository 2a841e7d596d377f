type Headers = Readonly<Record<string, string | string[] | undefined>>;

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

/** How long a provider asks to be left alone, in milliseconds; undefined when it does not say. */
export const retryAfterMs = (headers: Headers, now: Date): number | undefined => {
  const exact = Number(one(headers['retry-after-ms']));
  if (Number.isFinite(exact) && exact > 0) return exact;
  const text = one(headers['retry-after']);
  if (text === undefined) return undefined;
  const seconds = Number(text);
  const wait = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(text) - now.getTime();
  return Number.isFinite(wait) && wait >= 0 ? Math.ceil(wait) : undefined;
};
