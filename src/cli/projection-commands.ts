import { Command } from 'commander';
import { verifyProjection, type Verification } from '../../infra/postgres/verify-projection.ts';
import { addBuildCommands } from './build-commands.ts';
import { CliError } from './connect.ts';
import { statesOf, statuses, type ProjectionParts, type WithParts } from './projection-parts.ts';
import { line } from './projection-text.ts';

const showStatus = async (parts: ProjectionParts, json: boolean): Promise<void> => {
  const all = await statuses(parts);
  if (json) parts.write(JSON.stringify(all));
  else for (const status of all) parts.write(line(status));
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

/** The operators' tool for read models: `status`, `rebuild`, `undo`, `cancel`, `pause`, `resume`, `forget` and `verify`. */
export const projectionProgram = (withParts: WithParts): Command => {
  const program = new Command('projections').description('Looks at read models and builds them anew.');
  program
    .command('status')
    .description('How far each projection has come')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) => withParts((parts) => showStatus(parts, json === true)));
  addBuildCommands(program, withParts);
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
