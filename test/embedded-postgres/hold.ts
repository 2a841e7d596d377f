// A program that starts a server and holds it until it is told to stop, loses its parent, or is killed.
import { startPostgres, type PostgresOptions } from '../../infra/embedded/postgres/launch.ts';

process.on('disconnect', () => process.exit(0));
try {
  const server = await startPostgres(JSON.parse(process.argv[2] ?? '{}') as PostgresOptions);
  const { exited: _exited, stop, ...plain } = server;
  process.on('message', () => void stop().then(() => process.exit(0)));
  process.send?.(plain);
} catch (error) {
  process.send?.({ failed: String(error) }, () => process.exit(1));
}
