import type { Pool } from 'pg';
import type { AnswerLog, AnswerNews, AnswerPage } from '../../src/kernel/answer-log.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import type { UpstreamEvent } from '../../src/kernel/upstream.ts';
import type { Sealed, SubjectVault } from '../../src/kernel/vault.ts';
import { asQueryFault } from './faults.ts';

export type AnswerLogDeps = Readonly<{ pool: Pool; vault: Pick<SubjectVault, 'seal' | 'open'> }>;

/** Heads and pieces at once: whoever finds an end finds all that was said before it. */
const WRITE = `
  with heads as (
    insert into app.answer as known (request_id, user_id, model_id, provider, started_at, seen_at, over)
    select id, owner, model, provider, began, clock_timestamp(), how
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::text[])
      as news (id, owner, model, provider, began, how)
    on conflict (request_id) do update
      set seen_at = excluded.seen_at, over = coalesce(known.over, excluded.over)
    returning request_id, followed_until
  ), pieces as (
    insert into app.answer_piece as known (request_id, first_position, next_position, sealed)
    select * from unnest($7::uuid[], $8::integer[], $9::integer[], $10::jsonb[])
    -- A piece that was written without our hearing of it may have grown since.
    on conflict (request_id, first_position) do update
      set next_position = excluded.next_position, sealed = excluded.sealed
      where excluded.next_position > known.next_position
  )
  select request_id from heads where followed_until > clock_timestamp()`;

const MOST_PIECES = 64;
const READ = `
  select answer.user_id, answer.model_id, answer.provider, answer.started_at, answer.over,
    (extract(epoch from clock_timestamp() - answer.seen_at) * 1000)::float8 as silent_ms,
    piece.first_position, piece.next_position, piece.sealed
  from app.answer
  left join lateral (
    select first_position, next_position, sealed from app.answer_piece
    where answer_piece.request_id = answer.request_id and next_position > $2
    order by first_position limit ${MOST_PIECES}
  ) as piece on true
  where answer.request_id = $1
  order by piece.first_position`;

const FOLLOW = `
  update app.answer set followed_until = clock_timestamp() + make_interval(secs => $2) where request_id = $1`;

const AT_ONCE = 5_000;
const SWEEP = `
  delete from app.answer where request_id in (
    select request_id from app.answer where started_at < $1 order by started_at limit ${AT_ONCE})`;

const FORGET_USER = 'delete from app.answer where user_id = $1';

type Row = Readonly<{
  user_id: string;
  model_id: string;
  provider: string;
  started_at: string;
  over: string | null;
  silent_ms: number;
  first_position: number | null;
  next_position: number | null;
  sealed: Sealed | null;
}>;

type Piece = Readonly<{ requestId: string; first: number; next: number; sealed: Sealed }>;

/** As JSON text, which also holds halves of characters: models send an emoji in two pieces. */
const textOf = (value: unknown): string => JSON.stringify(value);

/** A piece is bound to its place: moved to another answer it cannot be read. */
const contextOf = (requestId: string, first: number): string => `answer-${requestId}|${first}`;

const orFault = async <T>(work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    throw asQueryFault(error);
  }
};

/** The answers of the last day in Postgres, schema `app`, sealed under their users' keys. */
export const answerLog = ({ pool, vault }: AnswerLogDeps): AnswerLog => {
  const sealed = async ({ head, from, events }: AnswerNews): Promise<readonly Piece[]> => {
    if (events.length === 0) return [];
    const { requestId, userId } = head;
    const seal = await vault.seal(userId, contextOf(requestId, from), textOf(events));
    return [{ requestId, first: from, next: from + events.length, sealed: seal }];
  };

  /** What can be kept of the news: nothing of a user whose key has been destroyed, and nothing that is no JSON. */
  const kept = async (news: AnswerNews): Promise<readonly [AnswerNews, readonly Piece[]] | undefined> => {
    try {
      return [news, await sealed(news)];
    } catch (error) {
      // What can never be kept must not keep the others from it.
      if (isDomainError(error) || error instanceof TypeError) return undefined;
      throw error;
    }
  };

  const write: AnswerLog['write'] = async (news) => {
    const all = (await Promise.all(news.map(kept))).filter((one) => one !== undefined);
    const heads = all.map(([{ head }]) => head);
    const pieces = all.flatMap(([, own]) => own);
    const values = [
      heads.map(({ requestId }) => requestId),
      heads.map(({ userId }) => userId),
      heads.map(({ modelId }) => modelId),
      heads.map(({ provider }) => provider),
      heads.map(({ startedAt }) => startedAt),
      all.map(([{ over }]) => (over === undefined ? null : textOf(over))),
      pieces.map(({ requestId }) => requestId),
      pieces.map(({ first }) => first),
      pieces.map(({ next }) => next),
      pieces.map((piece) => JSON.stringify(piece.sealed)),
    ];
    const { rows } = await orFault(pool.query<{ request_id: string }>(WRITE, values));
    return new Set(rows.map(({ request_id }) => request_id));
  };

  const opened = async (
    requestId: string,
    from: number,
    rows: readonly Row[],
  ): Promise<readonly UpstreamEvent[] | undefined> => {
    const events: UpstreamEvent[] = [];
    for (const { first_position: first, sealed: piece } of rows) {
      if (first === null || piece === null || first > from + events.length) break;
      const said = await vault.open(contextOf(requestId, first), piece);
      // The user's key has been destroyed.
      if (said === null) return undefined;
      const sayings = JSON.parse(said as string) as readonly UpstreamEvent[];
      for (const event of sayings.slice(from + events.length - first)) events.push(event);
    }
    return events;
  };

  const read = async (requestId: string, from: number): Promise<AnswerPage | undefined> => {
    const { rows } = await orFault(pool.query<Row>(READ, [requestId, from]));
    const [first] = rows;
    if (first === undefined) return undefined;
    const { user_id: userId, model_id: modelId, provider, started_at: startedAt, over, silent_ms: silentMs } = first;
    const head = { requestId, userId, modelId, provider, startedAt: new Date(startedAt).toISOString() };
    const events = await opened(requestId, from, rows);
    if (events === undefined) return undefined;
    const isLast = rows.length < MOST_PIECES && over !== null;
    return { head, from, events, over: isLast ? (JSON.parse(over) as unknown) : undefined, silentMs };
  };

  return {
    write,
    read,
    follow: async (requestId, seconds) => {
      await orFault(pool.query(FOLLOW, [requestId, seconds]));
    },
    forgetUser: async (userId) => (await orFault(pool.query(FORGET_USER, [userId]))).rowCount ?? 0,
    sweep: async (before) => (await orFault(pool.query(SWEEP, [before]))).rowCount ?? 0,
  };
};
