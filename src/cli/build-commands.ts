import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import {
  cancelBuild,
  forgetOld,
  pauseBuild,
  requestRebuild,
  undoRebuild,
} from '../../infra/postgres/build-requests.ts';
import { projectionOf } from '../../infra/postgres/builds.ts';
import type { Building, ProjectionStatus } from '../../infra/postgres/projection-status.ts';
import type { Projection } from '../kernel/projection.ts';
import { CliError } from './connect.ts';
import { statesOf, statuses, type ProjectionParts, type WithParts } from './projection-parts.ts';
import { line, progressText } from './projection-text.ts';

/** Milliseconds between looks at a build. */
const LOOK = 250;
const PATIENCE = 15_000;

const bar = ({ part }: Readonly<{ part: number }>): string => {
  const full = Math.round(part * 30);
  return `[${'#'.repeat(full)}${'.'.repeat(30 - full)}]`;
};

const statusOf = async (parts: ProjectionParts, name: string): Promise<ProjectionStatus> => {
  const found = (await statuses(parts)).find((status) => status.name === name);
  if (found === undefined) throw new CliError(2, `There is no projection ${name}.`);
  return found;
};

/** The tables that were asked for: in use, because damaged ones are made again where they are, or else beside them. */
const askedFor = (status: ProjectionStatus, wanted: bigint): ProjectionStatus | Building | null => {
  if (BigInt(status.generation) >= wanted) return status;
  // What is being built until then is what was asked for before.
  return status.rebuildAsked ? null : status.building;
};

/** States that no waiting changes soon. */
const OVER: ReadonlySet<string> = new Set(['failed', 'paused', 'outdated'] satisfies (
  ProjectionStatus | Building
)['state'][]);

/** Shows how far they are. */
const show = ({ note }: ProjectionParts, name: string, tables: ProjectionStatus | Building, isWhole: boolean): void => {
  const progress = isWhole ? { part: 1 } : tables.progress;
  if (progress !== null) note(`${name} ${bar(progress)} ${progressText(tables)}`);
};

/** Waits until tables of the generation have taken the place of those before, or cannot. */
const followBuild = async (parts: ProjectionParts, name: string, wanted: bigint): Promise<ProjectionStatus> => {
  const { patienceMs: patience = PATIENCE } = parts;
  let heard = performance.now();
  let wasBuilt = false;
  for (;;) {
    const status = await statusOf(parts, name);
    const tables = askedFor(status, wanted);
    if (tables !== null) {
      const isWhole = tables === status && status.state === 'live';
      show(parts, name, tables, isWhole);
      if (isWhole || OVER.has(tables.state)) return status;
      if (tables.owner !== null) heard = performance.now();
      wasBuilt = true;
    } else if (wasBuilt && !status.rebuildAsked) throw new CliError(1, `The building of ${name} was given up.`);
    if (performance.now() - heard > patience)
      throw new CliError(2, `No running server builds ${name}; the next one of this release to start does.`);
    await delay(LOOK);
  }
};

const mustKnow = (parts: ProjectionParts, name: string): Projection => {
  const found = parts.projections.find((projection) => projection.name === name);
  if (found === undefined) throw new CliError(2, `There is no projection ${name}.`);
  return found;
};

type Shown = Readonly<{ json?: boolean }>;

const unfinished = (name: string, building: Building | null): CliError =>
  building?.state === 'paused'
    ? new CliError(1, `The building of ${name} is paused.`)
    : new CliError(1, `The building of ${name} has stopped; readers see the tables that they saw before.`);

/** Waits for a build and shows what came of it. */
const waitForBuild = async (parts: ProjectionParts, name: string, wanted: bigint, { json }: Shown): Promise<void> => {
  const status = await followBuild(parts, name, wanted);
  parts.write(json === true ? JSON.stringify(status) : line(status));
  if (BigInt(status.generation) < wanted) throw unfinished(name, status.building);
  if (status.state === 'failed') throw new CliError(1, `${name} has stopped.`);
  if (status.state === 'outdated') throw new CliError(1, `${name} was built anew by another release, for itself.`);
};

const rateOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const rate = Number(text);
  if (!Number.isInteger(rate) || rate < 1 || rate > 1_000_000)
    throw new CliError(2, '--rate takes a whole number of events a second, from 1 to 1000000.');
  return rate;
};

const rebuild = async (parts: ProjectionParts, name: string, options: Shown & { rate?: string }): Promise<void> => {
  mustKnow(parts, name);
  const rate = rateOf(options.rate);
  await statesOf(parts);
  const wanted = await requestRebuild(parts.pools.projector, name, rate);
  if (wanted === undefined) throw new CliError(2, `${name} has never run on this database.`);
  await waitForBuild(parts, name, wanted, options);
};

const undo = async (parts: ProjectionParts, name: string, shown: Shown): Promise<void> => {
  const projection = mustKnow(parts, name);
  await statesOf(parts);
  const undone = await undoRebuild(parts.pools.projector, projection);
  if (undone.kind === 'nothing') throw new CliError(1, `There is nothing to go back to for ${name}.`);
  if (undone.kind === 'other')
    throw new CliError(
      1,
      undone.isMixed
        ? `Two releases have written into what ${name} had before: it is of no use to either.`
        : `What ${name} had before is of another release (version ${undone.version}), which alone can keep it up to date: run this there.`,
    );
  await waitForBuild(parts, name, undone.generation, shown);
};

/** Does something to tables beside those in use; 1 when there are none. */
const onTables =
  (act: (parts: ProjectionParts, name: string) => Promise<boolean>, done: string, none: string) =>
  async (parts: ProjectionParts, name: string): Promise<void> => {
    // Also what a release has left behind that had projections of other names.
    const isThere = (await statesOf(parts)).some((state) => projectionOf(state.name) === name);
    if (!isThere) mustKnow(parts, name);
    if (!(await act(parts, name))) throw new CliError(1, `${name} ${none}.`);
    parts.write(`${name}: ${done}`);
  };

const UNBUILT = 'is not being built';
const cancel = onTables(({ pools }, name) => cancelBuild(pools.projector, name), 'given up', UNBUILT);
const pause = onTables(({ pools }, name) => pauseBuild(pools.projector, name, true), 'paused', UNBUILT);
const resume = onTables(({ pools }, name) => pauseBuild(pools.projector, name, false), 'goes on', UNBUILT);
const forget = onTables(({ pools }, name) => forgetOld(pools.projector, name), 'forgotten', 'has replaced nothing');

/** `rebuild`, `undo` and what else there is to do with tables beside those in use. */
export const addBuildCommands = (program: Command, withParts: WithParts): void => {
  program
    .command('rebuild')
    .description('Builds the tables of a projection anew beside those in use, waits, and puts them in their place')
    .argument('<name>', 'the projection')
    .option('--rate <events>', 'events a second at the most')
    .option('--json', 'print JSON')
    .action((name: string, options: Shown & { rate?: string }) => withParts((parts) => rebuild(parts, name, options)));
  program
    .command('undo')
    .description('Brings back the tables that were replaced last, once they have caught up')
    .argument('<name>', 'the projection')
    .option('--json', 'print JSON')
    .action((name: string, options: Shown) => withParts((parts) => undo(parts, name, options)));
  const acts = {
    cancel: { act: cancel, what: 'Gives up what is being built; readers notice nothing' },
    pause: { act: pause, what: 'Lets what is being built rest' },
    resume: { act: resume, what: 'Goes on with what was paused' },
    forget: { act: forget, what: 'Drops the tables that undo would bring back' },
  };
  for (const [word, { act, what }] of Object.entries(acts)) {
    program
      .command(word)
      .description(what)
      .argument('<name>', 'the projection')
      .action((name: string) => withParts((parts) => act(parts, name)));
  }
};
