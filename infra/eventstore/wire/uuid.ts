import sharedPb from '@eventstore/db-client/generated/shared_pb.js';

/** The tag of a UUID that is written as text. */
const TEXT = 0x12;

const hex = (bits: string): string => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');

/** The id in a `UUID` message as text, whichever of its two forms it has; empty when it has none. */
export const uuidOf = (message: Buffer): string => {
  if (message[0] === TEXT) return message.toString('latin1', 2);
  const bits = sharedPb.UUID.deserializeBinary(message).getStructured();
  if (bits === undefined) return '';
  const digits = hex(bits.getMostSignificantBits()) + hex(bits.getLeastSignificantBits());
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
};
