/** Protocol buffer primitives for the few messages that are too hot for the generated code. */

const varintSize = (value: number): number => {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
};

/** Bytes a varint field takes, tag included; zero is not written, as proto3 has it. */
export const varintFieldSize = (value: number): number => (value === 0 ? 0 : 1 + varintSize(value));

/** Bytes a length-delimited field takes, tag and length included. */
export const bytesFieldSize = (length: number): number => 1 + varintSize(length) + length;

/** Writes a varint (a safe integer) and returns the next offset. */
export const putVarint = (into: Buffer, at: number, value: number): number => {
  let rest = value;
  let next = at;
  while (rest >= 0x80) {
    into[next++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  into[next++] = rest;
  return next;
};

/** Writes a varint field unless it is zero and returns the next offset. Field numbers stay below 16. */
export const putVarintField = (into: Buffer, at: number, field: number, value: number): number => {
  if (value === 0) return at;
  into[at] = field << 3;
  return putVarint(into, at + 1, value);
};

/** Writes tag and length of a length-delimited field and returns the offset of its content. */
export const putHeader = (into: Buffer, at: number, field: number, length: number): number => {
  into[at] = (field << 3) | 2;
  return putVarint(into, at + 1, length);
};

/** Writes a bytes field and returns the next offset. */
export const putBytes = (into: Buffer, at: number, field: number, value: Uint8Array): number => {
  const start = putHeader(into, at, field, value.length);
  into.set(value, start);
  return start + value.length;
};

/** Writes a string field whose UTF-8 length the caller already knows and returns the next offset. */
export const putText = (into: Buffer, at: number, field: number, value: string, length: number): number => {
  const start = putHeader(into, at, field, length);
  into.write(value, start, length, length === value.length ? 'latin1' : 'utf8');
  return start + length;
};

/** The number of the one field of a `StreamIdentifier`. */
export const streamNameField = 3;

/** The content of a `StreamIdentifier` message. */
export const streamIdentifier = (stream: string): Buffer => {
  const name = Buffer.from(stream);
  const into = Buffer.allocUnsafe(bytesFieldSize(name.length));
  putBytes(into, 0, streamNameField, name);
  return into;
};

/** Receives each field of a message: a number for varints, a view of the bytes for length-delimited ones. */
export type FieldVisitor = {
  varint?: (field: number, value: number) => void;
  bytes?: (field: number, value: Buffer) => void;
};

/** Walks the fields of one message; throws a RangeError when the bytes are not one. */
export const walk = (message: Buffer, visit: FieldVisitor): void => {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = message[at++];
      if (byte === undefined) throw new RangeError('a varint runs past the end of the message');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const field = tag >>> 3;
    const kind = tag & 7;
    if (kind === 0) {
      const value = varint();
      visit.varint?.(field, value);
    } else if (kind === 2) {
      const length = varint();
      if (at + length > message.length) throw new RangeError('a field runs past the end of the message');
      visit.bytes?.(field, message.subarray(at, at + length));
      at += length;
    } else if (kind === 1 || kind === 5) at += kind === 1 ? 8 : 4;
    else throw new RangeError(`wire type ${kind} is not known`);
  }
};
