/** "PTC1" */
const MAGIC = 0x50544331;
const HEADER = 6;

/** The terminal session that a binary frame is about; undefined when it is no such frame. */
export const terminalSessionOf = (frame: Buffer): string | undefined => {
  if (frame.length < HEADER || frame.readUInt32BE(0) !== MAGIC) return undefined;
  const length = frame.readUInt16BE(4);
  if (length === 0 || frame.length < HEADER + length) return undefined;
  return frame.toString('utf8', HEADER, HEADER + length);
};
