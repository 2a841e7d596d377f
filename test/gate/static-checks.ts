import { spawn } from 'node:child_process';
import type { Tally } from './tally.ts';

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

/** Runs everything that reads the code without running it, one after the other; tells each result as it comes. */
export const runStaticChecks = async (): Promise<Tally> => {
  const failures: string[] = [];
  for (const check of CHECKS) if (!(await runCheck(check))) failures.push(check[0]);
  return { passed: CHECKS.length - failures.length, skipped: 0, failures };
};
