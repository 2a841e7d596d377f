import {
  bytesFieldSize,
  putBytes,
  putHeader,
  putText,
  putVarintField,
  streamIdentifier,
  varintFieldSize,
} from '../../../eventstore/wire/protobuf.ts';

const eventField = 1;
const linkField = 2;
const positionField = 3;

/** A `ReadResp` that carries a stored record, and the link it was found through. */
export const eventMessage = (record: Buffer | undefined, link: Buffer | undefined, position: number): Buffer => {
  const content =
    (record === undefined ? 0 : bytesFieldSize(record.length)) +
    (link === undefined ? 0 : bytesFieldSize(link.length)) +
    varintFieldSize(position);
  const into = Buffer.allocUnsafe(bytesFieldSize(content));
  let at = putHeader(into, 0, eventField, content);
  if (record !== undefined) at = putBytes(into, at, eventField, record);
  if (link !== undefined) at = putBytes(into, at, linkField, link);
  putVarintField(into, at, positionField, position);
  return into;
};

/** A `ReadResp` that confirms a subscription by its id (ASCII). */
export const confirmationMessage = (subscription: string): Buffer => {
  const into = Buffer.allocUnsafe(bytesFieldSize(bytesFieldSize(subscription.length)));
  const at = putHeader(into, 0, 2, bytesFieldSize(subscription.length));
  putText(into, at, 1, subscription, subscription.length);
  return into;
};

/** A `ReadResp` that says how far a filtered subscription has looked. */
export const checkpointMessage = (position: number): Buffer => {
  const content = 2 * varintFieldSize(position);
  const into = Buffer.allocUnsafe(bytesFieldSize(content));
  const at = putHeader(into, 0, 3, content);
  putVarintField(into, putVarintField(into, at, 1, position), 2, position);
  return into;
};

/** A `ReadResp` that says the stream does not exist. */
export const notFoundMessage = (stream: string): Buffer => {
  const identifier = streamIdentifier(stream);
  const content = bytesFieldSize(identifier.length);
  const into = Buffer.allocUnsafe(bytesFieldSize(content));
  putBytes(into, putHeader(into, 0, 4, content), 1, identifier);
  return into;
};

/** A `ReadResp` that says a subscription has seen everything there is. */
export const caughtUpMessage = (): Buffer => Buffer.from([0x42, 0x00]);

/** A `ReadResp` that says a live subscription reads from disk again. */
export const fellBehindMessage = (): Buffer => Buffer.from([0x4a, 0x00]);

const uuidBits = (id: string): [most: bigint, least: bigint] => {
  const hex = id.replaceAll('-', '');
  return [BigInt.asIntN(64, BigInt(`0x${hex.slice(0, 16)}`)), BigInt.asIntN(64, BigInt(`0x${hex.slice(16)}`))];
};

const bigVarint = (value: bigint): number[] => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
};

/** The same record with its id as two 64-bit integers, for clients that ask for that form. */
export const withStructuredId = (record: Buffer, id: string): Buffer => {
  const [most, least] = uuidBits(id);
  const bits = Buffer.from([0x08, ...bigVarint(most), 0x10, ...bigVarint(least)]);
  const structured = Buffer.allocUnsafe(bytesFieldSize(bits.length));
  putBytes(structured, 0, 1, bits);
  const rest = record.subarray(40);
  const into = Buffer.allocUnsafe(bytesFieldSize(structured.length) + rest.length);
  into.set(rest, putBytes(into, 0, 1, structured));
  return into;
};
