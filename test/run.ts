// The whole gate: static checks and every suite. Usage: npm test [-- <part of a spec's path> ...]
// With arguments only the matching specs run, without the static checks. The last line reads `N passed, N failed`.
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { relative } from 'node:path';
import Mocha from 'mocha';

type Count = Readonly<{ passed: number; failed: number; skipped: number }>;

const CHECKS: readonly (readonly [string, readonly string[]])[] = [
  ['types', ['node_modules/typescript/bin/tsc', '--noEmit']],
  ['format', ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.']],
  [
    'rooms',
    [
      'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
      'src',
      'commands',
      'projections',
      'queries',
      'infra',
      'test',
    ],
  ],
  ['dead code', ['node_modules/knip/bin/knip.js', '--no-progress']],
  ['lint', ['node_modules/eslint/bin/eslint.js', '.', '--max-warnings', '0']],
];

const runCheck = ([name, args]: (typeof CHECKS)[number]): Promise<boolean> =>
  new Promise((resolve) => {
    const output: Buffer[] = [];
    const since = performance.now();
    const child = spawn(process.execPath, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('close', (code) => {
      const seconds = ((performance.now() - since) / 1000).toFixed(0);
      console.log(code === 0 ? `  ✔ ${name} (${seconds}s)` : `  ✘ ${name}\n${Buffer.concat(output).toString('utf8')}`);
      resolve(code === 0);
    });
  });

const runChecks = async (): Promise<Count> => {
  let failed = 0;
  for (const check of CHECKS) if (!(await runCheck(check))) failed += 1;
  return { passed: CHECKS.length - failed, failed, skipped: 0 };
};

const runSuites = async (patterns: readonly string[]): Promise<Count> => {
  const files = globSync('test/**/*.spec.ts')
    .map((file) => relative('.', file))
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .sort((a, b) => Number(a.endsWith('.e2e.spec.ts')) - Number(b.endsWith('.e2e.spec.ts')) || (a < b ? -1 : 1));
  if (files.length === 0) throw new Error(`no spec matches ${patterns.join(' ')}`);
  const mocha = new Mocha({ timeout: 60_000, reporter: 'spec', forbidOnly: true, color: false });
  for (const file of files) mocha.addFile(file);
  await mocha.loadFilesAsync();
  return new Promise((resolve) => {
    const runner = mocha.run(() => {
      const { passes = 0, failures = 0, pending = 0 } = runner.stats ?? {};
      resolve({ passed: passes, failed: failures, skipped: pending });
    });
  });
};

const patterns = process.argv.slice(2);
const since = performance.now();
// The static checks run beside the suites: the machine has two cores and neither uses both.
const counts = await Promise.all([...(patterns.length === 0 ? [runChecks()] : []), runSuites(patterns)]);
const total = (pick: (count: Count) => number): number => counts.reduce((sum, count) => sum + pick(count), 0);
const skipped = total((count) => count.skipped);
if (skipped > 0) console.log(`${skipped} did not run here; each says why above`);
console.log(`in ${((performance.now() - since) / 1000).toFixed(0)} s`);
console.log(`${total((count) => count.passed)} passed, ${total((count) => count.failed)} failed`);
// Everything has been counted; a handle that a suite left open must not hang the gate.
process.exit(total((count) => count.failed) === 0 ? 0 : 1);
