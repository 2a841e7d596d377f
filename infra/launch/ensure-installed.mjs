// Runs before every program of this project, on whatever Node the machine has (20 or later), so it uses nothing but Node.
// Installs the locked dependencies when they are missing or older than the lock file.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
// npm writes this file last, so its age is the age of the last complete install.
const installed = join(root, 'node_modules', '.package-lock.json');
const locked = join(root, 'package-lock.json');

const upToDate = () => existsSync(installed) && statSync(installed).mtimeMs >= statSync(locked).mtimeMs;

if (!upToDate()) {
  console.error('Installing dependencies (npm ci) ...');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const run = spawnSync(npm, ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (run.status !== 0) {
    console.error('npm ci failed; see its messages above.');
    process.exit(2);
  }
}
