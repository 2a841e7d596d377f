// The whole gate: static checks and every suite. Usage: npm test [-- <part of a spec's path> ...]
// With arguments only the matching specs run, without the static checks. The last line reads `N passed, N failed`.
import { globSync } from 'node:fs';
import { relative } from 'node:path';
import { runLane } from './gate/lanes.ts';
import { runStaticChecks } from './gate/static-checks.ts';
import { total, type Tally } from './gate/tally.ts';

const patterns = process.argv.slice(2);
const files = globSync('test/**/*.spec.ts')
  .map((file) => relative('.', file))
  .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
  .sort();
if (files.length === 0) throw new Error(`no spec matches ${patterns.join(' ')}`);
const wholeStack = files.filter((file) => file.endsWith('.e2e.spec.ts'));
const others = files.filter((file) => !file.endsWith('.e2e.spec.ts'));

// Two lanes: the tests of the whole stack mostly wait (for leases to end, for servers to start), the others mostly work.
const besideOthers = async (): Promise<Tally> =>
  total([
    ...(patterns.length === 0 ? [await runStaticChecks()] : []),
    await runLane('the tests of the whole stack', wholeStack, others.length === 0),
  ]);

const since = performance.now();
const { passed, skipped, failures } = total(
  await Promise.all([runLane('the tests of parts', others, true), besideOthers()]),
);
if (skipped > 0) console.log(`${skipped} did not run here; each says why above`);
if (failures.length > 0) console.log(`failed:\n${failures.map((failure) => `  ✘ ${failure}`).join('\n')}`);
console.log(`in ${((performance.now() - since) / 1000).toFixed(0)} s`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
