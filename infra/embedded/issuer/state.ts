import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { Adapter, AdapterPayload } from 'oidc-provider';

/** Somebody who has signed in here. */
type LocalPerson = Readonly<{ subject: string; email: string; name: string; admin: boolean }>;

/** What the issuer remembers over a restart, so that logins under way survive it. */
export type IssuerState = Readonly<{
  adapter: (model: string) => Adapter;
  /** The same address is always the same person; what else is told of them is as of the last time. */
  remember: (told: Omit<LocalPerson, 'subject'>) => LocalPerson;
  person: (subject: string) => LocalPerson | undefined;
  /** The port that was used last; undefined when there was none. */
  port: () => number | undefined;
  keepPort: (port: number) => void;
  close: () => void;
}>;

const SCHEMA = `
  pragma journal_mode = wal;
  create table if not exists record (
    model text not null, id text not null, payload text not null, grant_id text, uid text, expires_at integer,
    primary key (model, id)
  ) strict;
  create index if not exists record_grant on record (grant_id) where grant_id is not null;
  create table if not exists person (
    subject text primary key, email text not null, name text not null, admin integer not null
  ) strict;
  create table if not exists setting (name text primary key, value integer not null) strict;
`;

const seconds = (): number => Math.floor(Date.now() / 1000);

const subjectOf = (email: string): string =>
  `local|${createHash('sha256').update(email.trim().toLowerCase(), 'utf8').digest('hex').slice(0, 24)}`;

const adapterOn = (database: DatabaseSync, model: string): Adapter => {
  const upsert = database.prepare(
    'insert or replace into record (model, id, payload, grant_id, uid, expires_at) values (?, ?, ?, ?, ?, ?)',
  );
  const byId = database.prepare('select payload, expires_at from record where model = ? and id = ?');
  const byUid = database.prepare('select payload, expires_at from record where model = ? and uid = ?');
  const consume = database.prepare(
    `update record set payload = json_set(payload, '$.consumed', ?) where model = ? and id = ?`,
  );
  const destroy = database.prepare('delete from record where model = ? and id = ?');
  const revoke = database.prepare('delete from record where model = ? and grant_id = ?');

  const found = (row: Readonly<Record<string, unknown>> | undefined): AdapterPayload | undefined => {
    if (row === undefined) return undefined;
    if (typeof row['expires_at'] === 'number' && row['expires_at'] <= seconds()) return undefined;
    return JSON.parse(String(row['payload'])) as AdapterPayload;
  };

  return {
    upsert: (id, payload, expiresIn) => {
      const until = expiresIn === undefined ? null : seconds() + expiresIn;
      upsert.run(model, id, JSON.stringify(payload), payload.grantId ?? null, payload.uid ?? null, until);
      return Promise.resolve();
    },
    find: (id) => Promise.resolve(found(byId.get(model, id))),
    findByUid: (uid) => Promise.resolve(found(byUid.get(model, uid))),
    // The device flow, which alone has user codes, is off.
    findByUserCode: () => Promise.resolve(undefined),
    consume: (id) => {
      consume.run(seconds(), model, id);
      return Promise.resolve();
    },
    destroy: (id) => {
      destroy.run(model, id);
      return Promise.resolve();
    },
    revokeByGrantId: (grantId) => {
      revoke.run(model, grantId);
      return Promise.resolve();
    },
  };
};

/** Opens the state in a file, or in memory for `:memory:`. */
export const issuerState = (path: string): IssuerState => {
  const database = new DatabaseSync(path, { timeout: 5000 });
  database.exec(SCHEMA);
  database.prepare('delete from record where expires_at <= ?').run(seconds());
  const keep = database.prepare('insert or replace into person (subject, email, name, admin) values (?, ?, ?, ?)');
  const select = database.prepare('select subject, email, name, admin from person where subject = ?');
  const setting = database.prepare(`select value from setting where name = 'port'`);
  const set = database.prepare(`insert or replace into setting (name, value) values ('port', ?)`);

  return {
    adapter: (model) => adapterOn(database, model),
    remember: ({ email, name, admin }) => {
      const subject = subjectOf(email);
      keep.run(subject, email, name, admin ? 1 : 0);
      return { subject, email, name, admin };
    },
    person: (subject) => {
      const row = select.get(subject);
      if (row === undefined) return undefined;
      return { subject, email: String(row['email']), name: String(row['name']), admin: row['admin'] === 1 };
    },
    port: () => {
      const value = setting.get()?.['value'];
      return typeof value === 'number' ? value : undefined;
    },
    keepPort: (port) => void set.run(port),
    close: () => database.close(),
  };
};
