/** Where a provider answers: the origin for the connections, the path in front of every call. */
export type BaseUrl = Readonly<{ origin: string; prefix: string }>;

/** Reads a base URL, with or without a trailing `/v1`. Throws when it is not an http(s) URL. */
export const baseUrlOf = (text: string): BaseUrl => {
  const { protocol, origin, pathname } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') throw new Error('a provider is reached by http or https only');
  const path = pathname.replace(/\/+$/, '');
  return { origin, prefix: path.endsWith('/v1') ? path : `${path}/v1` };
};
