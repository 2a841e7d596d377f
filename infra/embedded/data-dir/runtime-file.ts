import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writePrivateFile } from './secrets.ts';

const schema = z.object({
  pid: z.number(),
  url: z.string(),
  eventStoreUrl: z.string(),
  databaseUrl: z.string(),
  issuerUrl: z.string().optional(),
  sandboxUrl: z.string().optional(),
  paymentsUrl: z.string().optional(),
});

/** Where the parts of a running server are, so that the command-line tools find them. */
export type Runtime = Readonly<z.output<typeof schema>>;

const pathIn = (dataDir: string): string => join(dataDir, 'runtime.json');

/** Notes where this server's parts are. */
export const writeRuntime = (dataDir: string, runtime: Runtime): void => {
  writePrivateFile(pathIn(dataDir), JSON.stringify(runtime, null, 2));
};

/** What a running server noted; undefined when there is none. A killed server leaves its note behind. */
export const readRuntime = (dataDir: string): Runtime | undefined => {
  const path = pathIn(dataDir);
  if (!existsSync(path)) return undefined;
  const parsed = schema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  return parsed.success ? parsed.data : undefined;
};

/** Takes the note back. */
export const removeRuntime = (dataDir: string): void => {
  rmSync(pathIn(dataDir), { force: true });
};
