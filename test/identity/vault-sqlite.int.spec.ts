import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { sqliteVault } from '../../infra/vault/sqlite-vault.ts';
import { vaultContract } from './vault.contract.ts';

let folder = '';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'vault-'));
});

after(() => {
  rmSync(folder, { recursive: true, force: true });
});

vaultContract(
  'a file',
  () => (options) => Promise.resolve(sqliteVault({ path: join(folder, 'vault.db'), ...options })),
);

describe('a destroyed key', () => {
  it('leaves no trace in the files of the vault', async () => {
    const own = mkdtempSync(join(folder, 'trace-'));
    const path = join(own, 'vault.db');
    const vault = sqliteVault({ path, masterKey: '11'.repeat(32) });
    await vault.seal('ada', 'user-1', 'secret');
    const reader = new DatabaseSync(path, { readOnly: true });
    const wrapped = reader.prepare('select wrapped from subject_keys').get()?.['wrapped'];
    reader.close();
    if (!(wrapped instanceof Uint8Array)) expect.fail('the key was not kept');
    const key = Buffer.from(wrapped);
    const onDisk = (): boolean => readdirSync(own).some((name) => readFileSync(join(own, name)).includes(key));
    expect(onDisk()).to.equal(true);
    await vault.destroy('ada');
    expect(onDisk()).to.equal(false);
    await vault.close();
  });
});
