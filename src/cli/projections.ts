import { resolve } from 'node:path';
import { databasePools } from '../../infra/postgres/pools.ts';
import { secretsOf } from '../app/parts.ts';
import { projections } from '../app/read-side.ts';
import { openVault } from '../app/stores.ts';
import { silentLogger } from '../kernel/logger.ts';
import { cliConfig, partsOf, runCli, withEventStore } from './connect.ts';
import { projectionProgram } from './projection-commands.ts';
import type { WithParts } from './projection-parts.ts';

const withParts: WithParts = async (work) => {
  const config = cliConfig();
  await withEventStore(config, async (store) => {
    const pools = databasePools({
      url: partsOf(config).databaseUrl,
      logger: silentLogger,
      applicationName: 'plantocode tool',
      sizes: { owner: 1, projector: 2 },
    });
    const dataDir = resolve(config.DATA_DIR);
    // Only a verification opens personal data; the others work without the keys.
    const opening = async () => openVault(config, { dataDir, secrets: secretsOf(config, dataDir) }, pools);
    let vault: ReturnType<typeof opening> | undefined;
    try {
      await work({
        projections,
        store,
        pools,
        vault: { open: async (context, sealed) => (await (vault ??= opening())).open(context, sealed) },
        now: () => new Date(),
        write: (line) => {
          console.log(line);
        },
        note: (line) => {
          console.error(line);
        },
      });
    } finally {
      await (await vault)?.close();
      await pools.close();
    }
  });
};

await runCli(projectionProgram(withParts));
