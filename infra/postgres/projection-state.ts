import type pg from 'pg';
import type { Position } from '../../src/kernel/event-store.ts';

/** Notifications of this channel name a projection whose owner should look at its state row. */
export const CONTROL = 'projector_control';

/** Advisory locks of projections stand in a class of their own, beside those of anything else on this database. */
export const LOCK_CLASS = 20_260;
/** Held while tables of a projection, or schemas, are made, moved or dropped. */
export const BUILD_LOCK = 20_261;

export type StateStatus = 'catching_up' | 'live' | 'failed';

/** The event that a projection has stopped at, and why. `position` is undefined when no event was the cause. */
type Parked = Readonly<{
  position: Position | undefined;
  eventId: string | undefined;
  eventType: string | undefined;
  cause: string;
  attempts: number;
  firstFailedAt: string;
  lastFailedAt: string;
}>;

/** A row of projector.state, one for each slot of a projection, with its parked event. Times are ISO text with six decimals. */
export type ProjectionState = Readonly<{
  name: string;
  version: number;
  definition: string;
  tables: readonly string[];
  generation: bigint;
  requested: bigint;
  generationSince: string;
  position: Position | undefined;
  target: bigint | undefined;
  events: bigint;
  asOf: string | undefined;
  status: StateStatus;
  owner: string;
  updatedAt: string;
  /** True: nothing is built until it goes on. */
  paused: boolean;
  /** Events a second that a build takes at the most; undefined: as fast as it goes. */
  mostPerSecond: number | undefined;
  /** True for tables that were in use before and are to be so again. */
  takenBack: boolean;
  /** When whoever works on it began, and how far it was then. */
  run: Readonly<{ since: string; events: bigint; position: bigint }>;
  /** True while an instance holds its lock. */
  owned: boolean;
  parked: Parked | undefined;
}>;

type StateRow = Readonly<{
  name: string;
  version: number;
  definition: string;
  tables: readonly string[];
  generation: bigint;
  requested: bigint;
  generation_since: string;
  commit_position: bigint | null;
  prepare_position: bigint | null;
  target_position: bigint | null;
  events: bigint;
  as_of: string | null;
  status: StateStatus;
  owner: string;
  updated_at: string;
  paused: boolean;
  most_per_second: number | null;
  taken_back: boolean;
  run_since: string | null;
  run_events: bigint | null;
  run_position: bigint | null;
  owned: boolean;
  parked_commit: bigint | null;
  parked_prepare: bigint | null;
  event_id: string | null;
  event_type: string | null;
  cause: string | null;
  attempts: number | null;
  first_failed_at: string | null;
  last_failed_at: string | null;
}>;

const positionOf = (commit: bigint | null, prepare: bigint | null): Position | undefined =>
  commit === null || prepare === null ? undefined : { commit, prepare };

const parkedOf = (row: StateRow): Parked | undefined =>
  row.cause === null
    ? undefined
    : {
        position: positionOf(row.parked_commit, row.parked_prepare),
        eventId: row.event_id ?? undefined,
        eventType: row.event_type ?? undefined,
        cause: row.cause,
        attempts: row.attempts ?? 0,
        firstFailedAt: row.first_failed_at ?? '',
        lastFailedAt: row.last_failed_at ?? '',
      };

const stateOf = (row: StateRow): ProjectionState => ({
  name: row.name,
  version: row.version,
  definition: row.definition,
  tables: row.tables,
  generation: row.generation,
  requested: row.requested,
  generationSince: row.generation_since,
  position: positionOf(row.commit_position, row.prepare_position),
  target: row.target_position ?? undefined,
  events: row.events,
  asOf: row.as_of ?? undefined,
  status: row.status,
  owner: row.owner,
  updatedAt: row.updated_at,
  paused: row.paused,
  mostPerSecond: row.most_per_second ?? undefined,
  takenBack: row.taken_back,
  run: {
    since: row.run_since ?? row.generation_since,
    events: row.run_events ?? 0n,
    position: row.run_position ?? 0n,
  },
  owned: row.owned,
  parked: parkedOf(row),
});

const columns = `s.*, p.commit_position as parked_commit, p.prepare_position as parked_prepare, p.event_id, p.event_type,
  p.cause, p.attempts, p.first_failed_at, p.last_failed_at,
  exists (select from pg_locks l where l.locktype = 'advisory' and l.classid::bigint = ${LOCK_CLASS}
    and l.database = (select oid from pg_database where datname = current_database())
    and l.objid::bigint = hashtext(s.name)::bigint & 4294967295) as owned`;

type Queryable = Pick<pg.ClientBase | pg.Pool, 'query'>;

/** The state of every projection that has ever run on this database, and of what is built and was replaced. */
export const readStates = async (db: Queryable): Promise<readonly ProjectionState[]> => {
  const { rows } = await db.query<StateRow>(
    `select ${columns} from projector.state s left join projector.parked p using (name) order by s.name`,
  );
  return rows.map(stateOf);
};

/** One projection's state, its row locked until the transaction ends; undefined when it has never run. */
export const lockState = async (db: Queryable, name: string): Promise<ProjectionState | undefined> => {
  const { rows } = await db.query<StateRow>(
    `select ${columns} from projector.state s left join projector.parked p using (name) where s.name = $1 for update of s`,
    [name],
  );
  return rows[0] === undefined ? undefined : stateOf(rows[0]);
};

const COPIED = `version, definition, tables, generation, generation_since, commit_position, prepare_position,
  target_position, events, as_of, status, owner, updated_at, paused, most_per_second, taken_back, run_since, run_events,
  run_position`;

/** Gives a row the contents of another one. What somebody has asked of that one is not taken along. */
export const copyState = async (db: Queryable, from: string, to: string): Promise<void> => {
  const columns = COPIED.split(',').map((column) => column.trim());
  await db.query(
    `insert into projector.state (name, requested, ${COPIED}) select $2, generation, ${COPIED} from projector.state where name = $1
     on conflict (name) do update set requested = excluded.requested,
       ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`,
    [from, to],
  );
};

export type Failure = Readonly<{
  position: Position | undefined;
  eventId: string | undefined;
  eventType: string | undefined;
  cause: string;
}>;

/** Keeps the event that stopped a projection, with its cause, and says so in its state. */
export const park = async (db: Queryable, name: string, owner: string, failure: Failure, at: Date): Promise<void> => {
  const { position, eventId, eventType, cause } = failure;
  await db.query(
    `with failed as (update projector.state set status = 'failed', owner = $2, updated_at = now() where name = $1)
     insert into projector.parked as had
       (name, commit_position, prepare_position, event_id, event_type, cause, attempts, first_failed_at, last_failed_at)
     values ($1, $3, $4, $5, $6, $7, 1, $8, $8)
     on conflict (name) do update set commit_position = excluded.commit_position,
       prepare_position = excluded.prepare_position, event_id = excluded.event_id, event_type = excluded.event_type,
       cause = excluded.cause, last_failed_at = excluded.last_failed_at,
       attempts = case when had.event_id is not distinct from excluded.event_id then had.attempts + 1 else 1 end,
       first_failed_at = case when had.event_id is not distinct from excluded.event_id then had.first_failed_at
         else excluded.first_failed_at end`,
    [
      name,
      owner,
      position?.commit ?? null,
      position?.prepare ?? null,
      eventId ?? null,
      eventType ?? null,
      cause,
      at.toISOString(),
    ],
  );
};
