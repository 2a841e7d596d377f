// Runs the given spec files in this process. Usage, by the gate only: suite.ts <spec file>...
import Mocha from 'mocha';
import type { Tally } from './tally.ts';

const mocha = new Mocha({ timeout: 60_000, reporter: 'spec', forbidOnly: true, color: false });
for (const file of process.argv.slice(2)) mocha.addFile(file);
await mocha.loadFilesAsync();

const failures: string[] = [];
const runner = mocha.run(() => {
  const { passes = 0, pending = 0 } = runner.stats ?? {};
  const tally: Tally = { passed: passes, skipped: pending, failures };
  // Everything has been counted; a handle that a suite left open must not hang the gate.
  process.send?.(tally, () => process.exit(0));
});
runner.on('fail', (test, error: Error) => failures.push(`${test.titlePath().join(' › ')}\n    ${error.message}`));
