import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { InclusionProof } from '../finance/inclusion-proof.ts';
import { isSigned, type Seal } from '../kernel/seal.ts';
import { CliError } from './connect.ts';

const digits = z.string().regex(/^\d{1,20}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const place = z.strictObject({ commit: digits, prepare: digits });

const seal: z.ZodType<Seal> = z.strictObject({
  number: z.int().min(1),
  from: place.nullable(),
  to: place,
  count: z.int().min(1),
  merkleRoot: sha256,
  prevRoot: z.union([sha256, z.literal('')]),
  sealedAt: z.iso.datetime(),
  keyId: z.string().max(64),
  publicKey: z.string().max(64),
  signature: z.string().max(128),
});

const proof = z.strictObject({
  event: z.strictObject({
    id: z.string(),
    stream: z.string(),
    revision: digits,
    type: z.string(),
    data: z.unknown(),
    metadata: z.looseObject({ hash: z.string() }),
    position: place,
  }),
  index: z.int().min(0),
  path: z.array(sha256).max(64),
  seal,
});

const read = <T>(file: string, what: string, shape: z.ZodType<T>): T => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new CliError(2, `${file} cannot be read.`);
  }
  try {
    return shape.parse(JSON.parse(text));
  } catch {
    throw new CliError(2, `${file} is no ${what}.`);
  }
};

/** A seal that was kept in a file. Throws CliError when it is none, or not signed by the key that it names. */
export const keptSeal = (file: string): Seal => {
  const kept = read(file, 'seal', seal);
  if (!isSigned(kept)) throw new CliError(1, `${file}: the seal is not signed by the key that it names.`);
  return kept;
};

/** A proof from a file. Throws CliError when it is none. */
export const keptProof = (file: string): InclusionProof =>
  read(file, 'proof', proof as unknown as z.ZodType<InclusionProof>);
