/** What came of a part of the gate; `failures` says in a line or a few what each was. */
export type Tally = Readonly<{ passed: number; skipped: number; failures: readonly string[] }>;

/** All parts together. */
export const total = (tallies: readonly Tally[]): Tally => ({
  passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
  skipped: tallies.reduce((sum, { skipped }) => sum + skipped, 0),
  failures: tallies.flatMap(({ failures }) => failures),
});
