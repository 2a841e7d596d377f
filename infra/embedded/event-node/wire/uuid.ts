import { sharedPb } from './protocol.ts';

const textual = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const hex = (bits: string): string => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');

/** The id in a `UUID` message as lower-case text; throws a RangeError when it holds none. */
export const readUuid = (message: Uint8Array): string => {
  const text = (message[0] === 0x12 ? Buffer.from(message).toString('latin1', 2) : structured(message)).toLowerCase();
  if (!textual.test(text)) throw new RangeError('an event id must be a UUID');
  return text;
};

const structured = (message: Uint8Array): string => {
  const bits = sharedPb.UUID.deserializeBinary(message).getStructured();
  const digits = bits === undefined ? '' : hex(bits.getMostSignificantBits()) + hex(bits.getLeastSignificantBits());
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
};
