import { readStates } from '../../infra/postgres/projection-state.ts';
import type { DatabasePools } from '../../infra/postgres/pools.ts';
import { sessionsProjection } from '../../projections/sessions/sessions.projection.ts';
import { endedSessions as endedSessionsQuery } from '../../queries/users/ended-sessions.query.ts';
import type { EndedSoFar } from '../http/auth/revocations.ts';
import { isoOf, type Clock } from '../kernel/clock.ts';
import type { QueryRunner } from '../kernel/query.ts';

type Deps = Readonly<{ pools: DatabasePools; queries: QueryRunner; clock: Clock }>;

/**
 * Which sessions had ended when the read model was at its position. The position is read before the rows: rows of later
 * events may be among them, which the subscription then only tells again. No read model yet: read the whole log.
 */
export const endedSessions =
  ({ pools, queries, clock }: Deps) =>
  async (): Promise<EndedSoFar> => {
    const states = await readStates(pools.projector);
    const position = states.find(({ name }) => name === sessionsProjection.name)?.position;
    if (position === undefined) return { position, ended: [] };
    return { position, ended: await queries.asSystem(endedSessionsQuery(isoOf(clock()))) };
  };
