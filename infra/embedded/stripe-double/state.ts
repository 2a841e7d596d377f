import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { PREFIX, type Kind, type Kinds } from './objects.ts';

/** A notice that has to be delivered. */
export type Delivery = Readonly<{ id: number; eventId: string; attempts: number }>;

/** What an earlier call with the same key was answered. */
export type Answered = Readonly<{ request: string; status: number; body: string }>;

/** All that the double knows, on disk. */
export type DoubleState = Readonly<{
  get: <K extends Kind>(kind: K, id: string) => Kinds[K] | undefined;
  /** Objects whose member has this value, newest first. */
  where: <K extends Kind>(kind: K, member: string, value: string) => readonly Kinds[K][];
  all: <K extends Kind>(kind: K) => readonly Kinds[K][];
  put: (object: Kinds[Kind]) => void;
  newId: (kind: Kind) => string;
  answered: (key: string) => Answered | undefined;
  keepAnswer: (key: string, answer: Answered) => void;
  queue: (eventId: string, dueAt: number) => void;
  due: (now: number) => readonly Delivery[];
  nextDue: () => number | undefined;
  delivered: (id: number) => void;
  later: (id: number, dueAt: number) => void;
  setting: (name: string) => number | undefined;
  set: (name: string, value: number) => void;
  /** All or nothing. */
  atomically: <T>(work: () => T) => T;
  close: () => void;
}>;

const SCHEMA = `
  pragma journal_mode = wal;
  create table if not exists object (
    seq integer primary key, kind text not null, id text not null unique, json text not null
  ) strict;
  create index if not exists object_kind on object (kind);
  create table if not exists answer (
    key text primary key, request text not null, status integer not null, body text not null
  ) strict;
  create table if not exists delivery (
    id integer primary key, event_id text not null, due_at integer not null, attempts integer not null
  ) strict;
  create table if not exists setting (name text primary key, value integer not null) strict;
`;

const parsed = (row: Readonly<Record<string, unknown>>): unknown => JSON.parse(String(row['json']));

/** Opens the state in a file, or in memory for `:memory:`. */
export const doubleState = (path: string): DoubleState => {
  const database = new DatabaseSync(path, { timeout: 5000 });
  database.exec(SCHEMA);
  const byId = database.prepare('select json from object where kind = ? and id = ?');
  const byMember = database.prepare(
    'select json from object where kind = ? and json_extract(json, ?) = ? order by seq desc',
  );
  const byKind = database.prepare('select json from object where kind = ? order by seq desc');
  const upsert = database.prepare(
    'insert into object (kind, id, json) values (?, ?, ?) on conflict (id) do update set json = excluded.json',
  );
  const answer = database.prepare('select request, status, body from answer where key = ?');
  const keep = database.prepare('insert or ignore into answer (key, request, status, body) values (?, ?, ?, ?)');
  const queue = database.prepare('insert into delivery (event_id, due_at, attempts) values (?, ?, 0)');
  const due = database.prepare(
    'select id, event_id, attempts from delivery where due_at <= ? order by due_at limit 50',
  );
  const next = database.prepare('select min(due_at) as at from delivery');
  const done = database.prepare('delete from delivery where id = ?');
  const later = database.prepare('update delivery set due_at = ?, attempts = attempts + 1 where id = ?');
  const setting = database.prepare('select value from setting where name = ?');
  const set = database.prepare('insert or replace into setting (name, value) values (?, ?)');

  return {
    get: (kind, id) => {
      const row = byId.get(kind, id);
      return row === undefined ? undefined : (parsed(row) as Kinds[typeof kind]);
    },
    where: (kind, member, value) =>
      byMember.all(kind, `$.${member}`, value).map((row) => parsed(row) as Kinds[typeof kind]),
    all: (kind) => byKind.all(kind).map((row) => parsed(row) as Kinds[typeof kind]),
    put: (object) => void upsert.run(object.object, object.id, JSON.stringify(object)),
    newId: (kind) => `${PREFIX[kind]}${randomBytes(12).toString('hex')}`,
    answered: (key) => {
      const row = answer.get(key);
      if (row === undefined) return undefined;
      return { request: String(row['request']), status: Number(row['status']), body: String(row['body']) };
    },
    keepAnswer: (key, { request, status, body }) => void keep.run(key, request, status, body),
    queue: (eventId, dueAt) => void queue.run(eventId, dueAt),
    due: (now) =>
      due.all(now).map((row) => ({
        id: Number(row['id']),
        eventId: String(row['event_id']),
        attempts: Number(row['attempts']),
      })),
    nextDue: () => {
      const at = next.get()?.['at'];
      return typeof at === 'number' ? at : undefined;
    },
    delivered: (id) => void done.run(id),
    later: (id, dueAt) => void later.run(dueAt, id),
    setting: (name) => {
      const value = setting.get(name)?.['value'];
      return typeof value === 'number' ? value : undefined;
    },
    set: (name, value) => void set.run(name, value),
    atomically: (work) => {
      database.exec('begin immediate');
      try {
        const result = work();
        database.exec('commit');
        return result;
      } catch (error) {
        database.exec('rollback');
        throw error;
      }
    },
    close: () => database.close(),
  };
};
