/** A value as JSON text. Throws TypeError for what JSON cannot hold. */
export const toText = (value: unknown): string => {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError('only JSON values can be stored');
  return text;
};

/** The value of a text that may not be there. */
export const fromText = (text: string | null | undefined): unknown =>
  text === null || text === undefined ? undefined : JSON.parse(text);
