import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { writePrivateFile } from '../data-dir/secrets.ts';

const schema = z.object({
  cookieKey: z.string().min(32),
  signingKey: z.looseObject({ kty: z.literal('RSA'), kid: z.string(), n: z.string(), e: z.string(), d: z.string() }),
});

/** What the issuer signs with: cookies and tokens. */
export type IssuerKeys = Readonly<z.output<typeof schema>>;

const makeKeys = (): IssuerKeys => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomBytes(8).toString('hex');
  const signingKey = { ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };
  return schema.parse({ cookieKey: randomBytes(32).toString('hex'), signingKey });
};

/** The keys in a file, made at the first start; without a path they live as long as the process. */
export const issuerKeys = (path: string | undefined): IssuerKeys => {
  if (path !== undefined && existsSync(path)) return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const keys = makeKeys();
  if (path !== undefined) writePrivateFile(path, JSON.stringify(keys));
  return keys;
};
