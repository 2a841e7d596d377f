import { disagreements, type Disagreement } from '../../queries/finance/reconciliation.query.ts';
import type { QueryRunner } from '../kernel/query.ts';

/** Read models are folded one by one, so that one may be a moment ahead of another: what is wrong stays wrong. */
const LOOKS = 10;
const MOST = 1000;

/** By user, what, and by how much: the same again is no matter of time. */
const nameOf = ({ userId, what, one, other }: Disagreement): string =>
  `${userId}|${what}|${BigInt(one) - BigInt(other)}`;

type Deps = Readonly<{ queries: Pick<QueryRunner, 'asSystem'>; pause: () => Promise<void> }>;

/** Where the read models do not agree, as often as one looks; on a quiet system one look is enough. */
export const reconciled = async ({ queries, pause }: Deps): Promise<readonly Disagreement[]> => {
  let found = await queries.asSystem(disagreements(MOST));
  for (let look = 1; look < LOOKS && found.length > 0; look += 1) {
    await pause();
    const before = new Set(found.map(nameOf));
    found = (await queries.asSystem(disagreements(MOST))).filter((one) => before.has(nameOf(one)));
  }
  return found;
};
