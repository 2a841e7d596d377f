/** What the head of a part says. `mediaType` and `fileName` are undefined when it does not say. */
export type PartHeader = Readonly<{ name: string; fileName: string | undefined; mediaType: string | undefined }>;

const PARAMETER = /;\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]*))/g;
const EXTENDED = /^utf-8'[^']*'(.*)$/i;

/** The parser hands bytes out as characters. */
const textOf = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');

const extendedText = (value: string | undefined): string | undefined => {
  const encoded = EXTENDED.exec(value ?? '')?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
};

/** The parameters of a Content-Disposition, as they were sent. */
const parametersOf = (disposition: string): ReadonlyMap<string, string> => {
  const parameters = new Map<string, string>();
  for (const [, key = '', quoted, plain = ''] of disposition.matchAll(PARAMETER)) {
    // Only quotes are ever escaped by those who send files; a backslash alone is part of a name.
    parameters.set(key.toLowerCase(), quoted === undefined ? plain : quoted.replaceAll('\\"', '"'));
  }
  return parameters;
};

/** Reads the head of a part; undefined when it is not a field of a form. Header names are in lower case. */
export const partHeaderOf = (
  headers: Readonly<Record<string, readonly string[] | undefined>>,
): PartHeader | undefined => {
  const disposition = headers['content-disposition']?.[0] ?? '';
  if (!/^form-data\s*(?:;|$)/i.test(disposition)) return undefined;
  const parameters = parametersOf(disposition);
  const name = parameters.get('name');
  if (name === undefined) return undefined;
  const fileName = parameters.get('filename');
  return {
    name: textOf(name),
    fileName: extendedText(parameters.get('filename*')) ?? (fileName === undefined ? undefined : textOf(fileName)),
    mediaType: headers['content-type']?.[0]?.trim(),
  };
};
