import { DatabaseSync } from 'node:sqlite';
import type { SubjectVault } from '../../src/kernel/vault.ts';
import type { KeptKey, KeyStore } from './key-store.ts';
import { subjectVault, type VaultOptions } from './vault.ts';

const SCHEMA = `
  pragma journal_mode = wal;
  pragma synchronous = full;
  pragma secure_delete = on;
  pragma busy_timeout = 10000;
  create table if not exists subject_keys (
    subject text primary key,
    wrapped blob,
    created_at integer not null,
    destroyed_at integer
  ) strict;
  create index if not exists destroyed_keys on subject_keys (destroyed_at) where destroyed_at is not null;
`;

const MINUTE_MS = 60_000;

const keyStore = (path: string): KeyStore => {
  const database = new DatabaseSync(path, { timeout: 10_000 });
  database.exec(SCHEMA);
  const select = database.prepare('select wrapped from subject_keys where subject = ?');
  const insert = database.prepare(
    'insert into subject_keys (subject, wrapped, created_at) values (?, ?, ?) on conflict do nothing',
  );
  const shred = database.prepare(
    `insert into subject_keys (subject, wrapped, created_at, destroyed_at) values (?1, null, ?2, ?2)
     on conflict do update set wrapped = null, destroyed_at = ?2 where destroyed_at is null`,
  );
  const recent = database.prepare('select subject from subject_keys where destroyed_at > ?');

  const find = (subject: string): KeptKey | undefined => {
    const row = select.get(subject);
    if (row === undefined) return undefined;
    return row['wrapped'] instanceof Uint8Array ? { wrapped: Buffer.from(row['wrapped']) } : 'destroyed';
  };

  return {
    find: (subject) => Promise.resolve(find(subject)),
    create: (subject, wrapped) => {
      insert.run(subject, wrapped, Date.now());
      const kept = find(subject);
      return kept === undefined ? Promise.reject(new Error('a key was not kept')) : Promise.resolve(kept);
    },
    destroy: (subject) => {
      shred.run(subject, Date.now());
      // The write-ahead log still holds the key's old page; this empties it as far as no reader is in the way.
      database.exec('pragma wal_checkpoint(truncate)');
      return Promise.resolve();
    },
    recentlyDestroyed: () => Promise.resolve(recent.all(Date.now() - MINUTE_MS).map((row) => String(row['subject']))),
    close: () => {
      if (database.isOpen) database.close();
      return Promise.resolve();
    },
  };
};

/** The vault in a file of its own, which several processes on one machine may share. */
export const sqliteVault = (options: VaultOptions & Readonly<{ path: string }>): SubjectVault =>
  subjectVault(keyStore(options.path), options);
