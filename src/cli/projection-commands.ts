import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { causeOf } from '../../infra/postgres/faults.ts';
import { readStates, requestRebuild } from '../../infra/postgres/projection-state.ts';
import { projectionStatus, type ProjectionStatus } from '../../infra/postgres/projection-status.ts';
import type { DatabasePools } from '../../infra/postgres/pools.ts';
import type { Opener } from '../../infra/postgres/project-events.ts';
import { verifyProjection, type Verification } from '../../infra/postgres/verify-projection.ts';
import type { EventStore } from '../kernel/event-store.ts';
import type { Projection } from '../kernel/projection.ts';
import { CliError } from './connect.ts';

/** What the tool works with. `write` and `note` print a line on stdout and stderr. */
export type ProjectionParts = Readonly<{
  projections: readonly Projection[];
  store: EventStore;
  pools: Pick<DatabasePools, 'projector'>;
  vault: Opener;
  now: () => Date;
  write: (line: string) => void;
  note: (line: string) => void;
}>;

/** Connects, works and disconnects; parts that do not answer are a CliError with code 2. */
export type WithParts = (work: (parts: ProjectionParts) => Promise<void>) => Promise<void>;

/** Milliseconds between looks at a rebuild, and until a rebuild that nobody begins is given up on. */
const LOOK = 250;
const NOBODY = 15_000;

const statesOf = async ({ pools }: ProjectionParts) => {
  try {
    return await readStates(pools.projector);
  } catch (cause) {
    throw new CliError(2, `The database does not answer, or no server has prepared it yet (${causeOf(cause)}).`);
  }
};

/** How every projection is doing, those of other releases included. */
export const statuses = async (parts: ProjectionParts): Promise<readonly ProjectionStatus[]> => {
  const states = new Map((await statesOf(parts)).map((state) => [state.name, state]));
  const head = await parts.store.head();
  return parts.projections.map((projection) =>
    projectionStatus(projection, states.get(projection.name), { head, now: parts.now() }),
  );
};

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;

const lagText = ({ lagSeconds }: ProjectionStatus): string =>
  lagSeconds === null ? 'unknown' : `${lagSeconds.toFixed(lagSeconds === 0 ? 0 : 1)} s`;

const progressText = ({ progress, events }: ProjectionStatus): string => {
  if (progress === null) return `${events} events`;
  const eta = progress.etaSeconds === null ? '' : `, ${progress.etaSeconds} s to go`;
  return `${percent(progress.part)}, ${events} events, ${progress.rate} a second${eta}`;
};

const line = (status: ProjectionStatus): string => {
  const { name, state, version, position, owner, failure } = status;
  const told = [
    name.padEnd(16),
    state.padEnd(12),
    `position ${position ?? '-'}`,
    `lag ${lagText(status)}`,
    `version ${version}`,
    `owner ${owner ?? '-'}`,
    progressText(status),
  ];
  const stopped =
    failure === null
      ? ''
      : `\n  stopped at position ${failure.position ?? '-'} (${failure.eventType ?? 'no event'} ${failure.eventId ?? ''}): ${failure.cause}, tried ${failure.attempts} times since ${failure.since}`;
  return `${told.join('  ')}${stopped}`;
};

const showStatus = async (parts: ProjectionParts, json: boolean): Promise<void> => {
  const all = await statuses(parts);
  if (json) parts.write(JSON.stringify(all));
  else for (const status of all) parts.write(line(status));
};

const bar = ({ part }: Readonly<{ part: number }>): string => {
  const full = Math.round(part * 30);
  return `[${'#'.repeat(full)}${'.'.repeat(30 - full)}]`;
};

const statusOf = async (parts: ProjectionParts, name: string): Promise<ProjectionStatus> => {
  const found = (await statuses(parts)).find((status) => status.name === name);
  if (found === undefined) throw new CliError(2, `There is no projection ${name}.`);
  return found;
};

/** Waits for the owner to build the generation and to come to the end of the log. */
const followRebuild = async (parts: ProjectionParts, name: string, wanted: bigint): Promise<ProjectionStatus> => {
  const since = performance.now();
  for (;;) {
    const status = await statusOf(parts, name);
    const begun = BigInt(status.generation) >= wanted;
    if (begun && status.progress !== null) parts.note(`${name} ${bar(status.progress)} ${progressText(status)}`);
    if (begun && status.state === 'live') parts.note(`${name} ${bar({ part: 1 })} ${status.events} events`);
    if (begun && (status.state === 'live' || status.state === 'failed')) return status;
    if (!begun && performance.now() - since > NOBODY)
      throw new CliError(2, `No running server owns ${name}; the next one to start rebuilds it.`);
    await delay(LOOK);
  }
};

const rebuild = async (parts: ProjectionParts, name: string, json: boolean): Promise<void> => {
  if (!parts.projections.some((projection) => projection.name === name))
    throw new CliError(2, `There is no projection ${name}.`);
  await statesOf(parts);
  const wanted = await requestRebuild(parts.pools.projector, name);
  if (wanted === undefined) throw new CliError(2, `${name} has never run on this database.`);
  const status = await followRebuild(parts, name, wanted);
  parts.write(json ? JSON.stringify(status) : line(status));
  if (status.state === 'failed') throw new CliError(1, `${name} has stopped.`);
};

const verificationLines = ({ name, position, events, tables, skipped }: Verification): readonly string[] =>
  skipped !== null
    ? [`${name}: not verified, ${skipped}`]
    : [
        `${name}: ${events} events up to position ${position ?? '-'}`,
        ...tables.flatMap(({ table, rows, checksum, differing, differences }) => [
          `  ${table}: ${rows} rows, checksum ${checksum}${differing === 0 ? ', right' : `, ${differing} rows differ`}`,
          ...differences.map(({ key, what, columns }) => `    ${key}: ${what} ${columns.join(', ')}`.trimEnd()),
        ]),
      ];

const verify = async (parts: ProjectionParts, names: readonly string[], json: boolean): Promise<void> => {
  const chosen = parts.projections.filter(({ name }) => names.length === 0 || names.includes(name));
  const strange = names.find((name) => !chosen.some((projection) => projection.name === name));
  if (strange !== undefined) throw new CliError(2, `There is no projection ${strange}.`);
  await statesOf(parts);
  const results: Verification[] = [];
  for (const projection of chosen) results.push(await verifyProjection(projection, parts));
  if (json) parts.write(JSON.stringify(results));
  else for (const result of results) verificationLines(result).forEach(parts.write);
  if (results.some(({ right }) => !right)) throw new CliError(1, 'The read models are not what the log says.');
};

/** The operators' tool for read models: `status`, `rebuild <name>`, `verify [names]`. */
export const projectionProgram = (withParts: WithParts): Command => {
  const program = new Command('projections').description('Looks at read models and builds them anew.');
  program
    .command('status')
    .description('How far each projection has come')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) => withParts((parts) => showStatus(parts, json === true)));
  program
    .command('rebuild')
    .description('Builds the tables of a projection anew from the log and waits for it')
    .argument('<name>', 'the projection')
    .option('--json', 'print JSON')
    .action((name: string, { json }: { json?: boolean }) => withParts((parts) => rebuild(parts, name, json === true)));
  program
    .command('verify')
    .description('Folds the log again and compares every row of the tables')
    .argument('[names...]', 'the projections; none: all')
    .option('--json', 'print JSON')
    .action((names: readonly string[], { json }: { json?: boolean }) =>
      withParts((parts) => verify(parts, names, json === true)),
    );
  return program;
};
