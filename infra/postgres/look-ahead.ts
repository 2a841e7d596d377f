import { comparePositions, isAfter, type EventStore, type Position } from '../../src/kernel/event-store.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import type { Place } from './projection-place.ts';

const PAGE = 500;

const reads = ({ streamPrefixes }: Projection, stream: string): boolean =>
  streamPrefixes.length === 0 || streamPrefixes.some((prefix) => stream.startsWith(prefix));

/** A projection and the place it stands at. */
export type Standing = Readonly<{ projection: Projection; place: Place }>;

const earliest = (standing: readonly Standing[]): Position | undefined => {
  const positions = standing.map(({ place }) => place.position);
  if (positions.includes(undefined)) return undefined;
  return positions.filter((position) => position !== undefined).toSorted(comparePositions)[0];
};

/**
 * Finds the projections for which the log holds nothing after their place, and how far that is so. One read serves all:
 * without it, a projection would seem late whenever an event comes that it does not want.
 */
export const lookAhead = async (
  store: Pick<EventStore, 'head' | 'readAll'>,
  standing: readonly Standing[],
): Promise<readonly Readonly<{ place: Place; passed: Position }>[]> => {
  const head = await store.head();
  if (head === undefined) return [];
  let idle = standing.filter((each) => isAfter(head, each.place.position));
  let from = earliest(idle);
  for (;;) {
    if (idle.length === 0) return [];
    const page = await store.readAll({ ...(from === undefined ? {} : { from }), maxCount: PAGE });
    idle = idle.filter(
      (each) =>
        !page.some(({ stream, position }) => isAfter(position, each.place.position) && reads(each.projection, stream)),
    );
    from = page.at(-1)?.position ?? from;
    if (page.length < PAGE) break;
  }
  const end = from !== undefined && isAfter(from, head) ? from : head;
  return idle.map(({ place }) => ({ place, passed: end }));
};
