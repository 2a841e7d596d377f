/** Fetches without following redirects, sending and keeping cookies as a browser does. */
export type Visit = (url: URL, init: RequestInit) => Promise<Response>;

const isGone = (attributes: readonly string[]): boolean =>
  attributes.some((attribute) => {
    const [name = '', value = ''] = attribute.trim().split('=');
    if (/^max-age$/i.test(name)) return Number(value) <= 0;
    return /^expires$/i.test(name) && Date.parse(value) <= Date.now();
  });

/** A jar for one walk: cookies are kept by origin and name, whatever their path. */
export const cookieJar = (): Visit => {
  const jars = new Map<string, Map<string, string>>();

  const keep = (jar: Map<string, string>, line: string): void => {
    const [pair = '', ...attributes] = line.split(';');
    const name = pair.slice(0, pair.indexOf('=')).trim();
    if (isGone(attributes)) jar.delete(name);
    else jar.set(name, pair.slice(pair.indexOf('=') + 1).trim());
  };

  return async (url, init) => {
    const jar = jars.get(url.origin) ?? new Map<string, string>();
    jars.set(url.origin, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = cookie === '' ? {} : { cookie };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) keep(jar, line);
    return response;
  };
};
