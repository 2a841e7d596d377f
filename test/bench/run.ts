// Runs a benchmark: `npm run bench -- <name>`. Each prints a table and, as its last line, one JSON object with ratios.
import { globSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';

const files = new Map(globSync('test/bench/*.bench.ts').map((file) => [basename(file, '.bench.ts'), file]));
const [name = '', ...rest] = process.argv.slice(2);
const file = files.get(name);
if (file === undefined) {
  console.error(`usage: npm run bench -- <name>, one of: ${[...files.keys()].sort().join(', ')}`);
  process.exit(2);
}
const { status } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...rest], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
