import type pg from 'pg';
import type { Position } from '../../src/kernel/event-store.ts';
import type { StateStatus } from './projection-state.ts';

/** Notifications of this channel say how far a projection has come: `name generation commit prepare`. */
export const PROGRESS = 'projector_progress';

/** The place a projection stands at, as its owner knows it. Only who knows it right may move it. */
export type Place = Readonly<{ name: string; generation: bigint; position: Position | undefined }>;

export type Step = Readonly<{
  position: Position | undefined;
  events: number;
  asOf: Date;
  status: StateStatus;
  owner: string;
}>;

const ADVANCE = `with moved as (
       update projector.state
       set commit_position = $5, prepare_position = $6, events = events + $7, as_of = greatest(as_of, $8::timestamptz), status = $9,
         owner = $10, updated_at = now()
       where name = $1 and generation = $2 and requested = $2
         and commit_position is not distinct from $3::bigint and prepare_position is not distinct from $4::bigint
       returning name),
     freed as (delete from projector.parked where name in (select name from moved))
     select pg_notify('${PROGRESS}', $11) from moved`;

/**
 * Moves a projection on and tells everybody, when the transaction commits. Answers false, having done nothing, when it
 * does not stand at `from` any more or a rebuild was asked for: then somebody else owns it, or its tables are to go.
 */
export const advance = async (
  db: Pick<pg.ClientBase | pg.Pool, 'query'>,
  from: Place,
  step: Step,
): Promise<boolean> => {
  const { name, generation, position } = from;
  const { rowCount } = await db.query({
    name: 'advance',
    text: ADVANCE,
    values: [
      name,
      generation,
      position?.commit ?? null,
      position?.prepare ?? null,
      step.position?.commit ?? null,
      step.position?.prepare ?? null,
      step.events,
      step.asOf.toISOString(),
      step.status,
      step.owner,
      progressText({ name, generation, position: step.position }),
    ],
  });
  return rowCount === 1;
};

/** A place as a notification carries it. */
export const progressText = ({ name, generation, position }: Place): string =>
  position === undefined
    ? `${name} ${generation}`
    : `${name} ${generation} ${position.commit.toString()} ${position.prepare.toString()}`;

/** Reads what `progressText` wrote. */
export const placeFrom = (text: string): Place => {
  const [name = '', generation = '0', commit, prepare] = text.split(' ');
  const position =
    commit === undefined || prepare === undefined ? undefined : { commit: BigInt(commit), prepare: BigInt(prepare) };
  return { name, generation: BigInt(generation), position };
};
