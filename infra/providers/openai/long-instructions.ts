const MOST_BYTES = 1_000_000;
const MARKER = '[The instructions go on here.]\n';

/** The longest start of `text` within the limit that does not cut a character. */
const startWithin = (text: string): string => {
  const bytes = Buffer.from(text, 'utf8');
  let end = MOST_BYTES;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
};

/** Instructions have a limit of their own: what is beyond it becomes the first words of the conversation. */
export const splitInstructions = (text: string): Readonly<{ instructions: string; rest: string | undefined }> => {
  // No text has more bytes than three for each of its code units.
  if (text.length * 3 <= MOST_BYTES || Buffer.byteLength(text) <= MOST_BYTES) {
    return { instructions: text, rest: undefined };
  }
  const start = startWithin(text);
  const line = start.lastIndexOf('\n');
  const cut = line > 0 ? line : start.lastIndexOf(' ');
  const end = cut > 0 ? cut : start.length;
  return { instructions: text.slice(0, end), rest: MARKER + text.slice(end).trimStart() };
};
