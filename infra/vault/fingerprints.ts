import { createHash } from 'node:crypto';
import type { Pool } from 'pg';

/** A secret is another than the one that this database's data was made with. */
export class SecretMismatchError extends Error {
  constructor(names: readonly string[]) {
    super(
      `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} not what this database was first used with. ` +
        'With another one nobody would be recognised, or personal data could not be read. Set the right one on every instance.',
    );
    this.name = 'SecretMismatchError';
  }
}

const SCHEMA = `
  select pg_advisory_xact_lock(hashtext('vault.fingerprints'));
  create schema if not exists vault;
  create table if not exists vault.fingerprints (name text primary key, fingerprint text not null);
`;

const fingerprintOf = (name: string, secret: string): string =>
  createHash('sha256').update(`fingerprint of ${name}|${secret}`).digest('hex').slice(0, 16);

/**
 * Notes fingerprints of the secrets at the first start, and compares at every later one, on whatever instance. Throws
 * SecretMismatchError. Only secrets with the entropy of a key may be given.
 */
export const checkFingerprints = async (pool: Pool, secrets: Readonly<Record<string, string>>): Promise<void> => {
  await pool.query(SCHEMA);
  const names = Object.keys(secrets);
  const fingerprints = Object.entries(secrets).map(([name, secret]) => fingerprintOf(name, secret));
  await pool.query(
    'insert into vault.fingerprints (name, fingerprint) select * from unnest($1::text[], $2::text[]) on conflict do nothing',
    [names, fingerprints],
  );
  const { rows } = await pool.query<{ name: string; fingerprint: string }>(
    'select name, fingerprint from vault.fingerprints where name = any($1)',
    [names],
  );
  const wrong = rows.filter(({ name, fingerprint }) => fingerprint !== fingerprints[names.indexOf(name)]);
  if (wrong.length > 0) throw new SecretMismatchError(wrong.map(({ name }) => name).sort());
};
