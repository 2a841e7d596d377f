import type { Pool } from 'pg';
import type { SubjectVault } from '../../src/kernel/vault.ts';
import type { KeptKey, KeyStore } from './key-store.ts';
import { subjectVault, type VaultOptions } from './vault.ts';

// Two instances starting at once would both try to make the schema; one statement string is one transaction.
const SCHEMA = `
  select pg_advisory_xact_lock(hashtext('vault.subject_keys'));
  create schema if not exists vault;
  create table if not exists vault.subject_keys (
    subject text primary key,
    wrapped bytea,
    created_at timestamptz not null default clock_timestamp(),
    destroyed_at timestamptz
  );
  create index if not exists destroyed_keys on vault.subject_keys (destroyed_at) where destroyed_at is not null;
`;

const CREATE = 'insert into vault.subject_keys (subject, wrapped) values ($1, $2) on conflict do nothing';
const FIND = 'select wrapped from vault.subject_keys where subject = $1';
const DESTROY = `
  insert into vault.subject_keys (subject, wrapped, destroyed_at) values ($1, null, clock_timestamp())
  on conflict (subject) do update set wrapped = null, destroyed_at = clock_timestamp()
  where subject_keys.destroyed_at is null`;
const RECENT = `select subject from vault.subject_keys where destroyed_at > clock_timestamp() - interval '60 seconds'`;

const keyStore = (pool: Pool): KeyStore => {
  const find = async (subject: string): Promise<KeptKey | undefined> => {
    const { rows } = await pool.query<{ wrapped: Buffer | null }>(FIND, [subject]);
    const row = rows[0];
    if (row === undefined) return undefined;
    return row.wrapped === null ? 'destroyed' : { wrapped: row.wrapped };
  };
  return {
    find,
    create: async (subject, wrapped) => {
      await pool.query(CREATE, [subject, wrapped]);
      const kept = await find(subject);
      if (kept === undefined) throw new Error('a key was not kept');
      return kept;
    },
    destroy: async (subject) => {
      await pool.query(DESTROY, [subject]);
    },
    recentlyDestroyed: async () => (await pool.query<{ subject: string }>(RECENT)).rows.map(({ subject }) => subject),
    // The pool belongs to whoever made it.
    close: () => Promise.resolve(),
  };
};

/** Makes the schema `vault` where it is missing. Run once at start, with the login that owns the database. */
export const migrateVault = async (pool: Pool): Promise<void> => {
  await pool.query(SCHEMA);
};

/** The vault in Postgres, schema `vault`, which `migrateVault` has made. The pool must not share the read models' roles. */
export const postgresVault = (options: VaultOptions & Readonly<{ pool: Pool }>): SubjectVault =>
  subjectVault(keyStore(options.pool), options);
