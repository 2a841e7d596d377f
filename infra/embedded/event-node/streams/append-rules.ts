/** What a writer believes about a stream: nothing, its absence, its presence, or its exact last revision. */
export type ExpectedRevision = 'any' | 'noStream' | 'streamExists' | number;

/** The stream a decision is made about. `last` is -1 when it has no events. */
export type StreamFacts = {
  last: number;
  tombstoned: boolean;
  softDeleted: boolean;
  hasMetadata: boolean;
  /** Revision of a recent event of this stream, by event id. */
  revisionOf: (id: string) => number | undefined;
  /** Whether the event at a revision has this id. */
  holds: (id: string, revision: number) => boolean;
};

export type AppendDecision =
  { kind: 'write' } | { kind: 'already'; last: number } | { kind: 'wrong-expected-revision' } | { kind: 'deleted' };

const write: AppendDecision = { kind: 'write' };
const wrong: AppendDecision = { kind: 'wrong-expected-revision' };

const decideUnanchored = (facts: StreamFacts, ids: readonly string[]): AppendDecision => {
  let last = -1;
  for (const [at, id] of ids.entries()) {
    const revision = facts.revisionOf(id);
    if (revision === undefined) return at === 0 ? write : wrong;
    last = revision;
  }
  return last < 0 ? write : { kind: 'already', last };
};

const decideBehind = (facts: StreamFacts, expected: number, ids: readonly string[]): AppendDecision => {
  let last = expected;
  for (const id of ids) {
    if (facts.holds(id, last + 1)) last += 1;
    else return last === expected && expected === -1 && facts.softDeleted ? write : wrong;
  }
  return last === expected ? wrong : { kind: 'already', last };
};

/**
 * Decides an append as the original does: the same ids at the same place again are `already` there, an expected
 * revision that is behind is wrong unless that explains it, and a soft-deleted stream may begin again.
 */
export const decideAppend = (
  facts: StreamFacts,
  expected: ExpectedRevision,
  ids: readonly string[],
): AppendDecision => {
  if (facts.tombstoned) return { kind: 'deleted' };
  if (expected === 'streamExists' && facts.last < 0 && !facts.hasMetadata) return wrong;
  if (expected === 'any' || expected === 'streamExists') return decideUnanchored(facts, ids);
  const revision = expected === 'noStream' ? -1 : expected;
  if (revision > facts.last) return wrong;
  return revision === facts.last ? write : decideBehind(facts, revision, ids);
};
