/** Where a provider answers: the origin for the connections, the path in front of every call. */
export type BaseUrl = Readonly<{ origin: string; prefix: string }>;

const VERSIONED = /\/v\d\w*$/;

/**
 * Reads a base URL, with or without the path of a version at its end; `version` is added when there is none. Throws when
 * it is not an http(s) URL.
 */
export const baseUrlOf = (text: string, version = '/v1'): BaseUrl => {
  const { protocol, origin, pathname } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') throw new Error('a provider is reached by http or https only');
  const path = pathname.replace(/\/+$/, '');
  if (VERSIONED.test(path)) return { origin, prefix: path };
  // `/api` and `/api/v1` share a segment that is not to stand there twice.
  const shared = version.slice(0, version.lastIndexOf('/'));
  return { origin, prefix: (shared !== '' && path.endsWith(shared) ? path.slice(0, -shared.length) : path) + version };
};
