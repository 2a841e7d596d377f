import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const schema = z.object({
  jwtSecret: z.string().length(64),
  identityHashKey: z.string().length(64),
  vaultMasterKey: z.string().length(64),
});

/** Keys of an installation that was given none: 32 random bytes each, in hex. */
export type Secrets = Readonly<z.output<typeof schema>>;

const newKey = (): string => randomBytes(32).toString('hex');

/** Writes a file that is there whole or not at all, readable by its owner only. */
export const writePrivateFile = (path: string, text: string): void => {
  const draft = `${path}.new`;
  const file = openSync(draft, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
};

/** The secrets of this data directory, made at the first start. Losing them makes tokens and personal data unreadable. */
export const ownSecrets = (dataDir: string): Secrets => {
  const path = join(dataDir, 'secrets.json');
  if (existsSync(path)) return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const secrets: Secrets = { jwtSecret: newKey(), identityHashKey: newKey(), vaultMasterKey: newKey() };
  writePrivateFile(path, JSON.stringify(secrets, null, 2));
  return secrets;
};
