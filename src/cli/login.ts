import { Command } from 'commander';
import { z } from 'zod';
import { readRuntime } from '../../infra/embedded/data-dir/runtime-file.ts';
import { isUuid } from '../kernel/ids.ts';
import { CliError, cliConfig, runCli } from './connect.ts';
import { walkLogin } from './login-flow.ts';

type Options = Readonly<{ email: string; device?: string; admin?: boolean; url?: string }>;

const serverUrl = (given: string | undefined): string => {
  if (given !== undefined) return given;
  const { DATA_DIR, HOST, PORT, PUBLIC_URL } = cliConfig();
  return readRuntime(DATA_DIR)?.url ?? PUBLIC_URL ?? `http://${HOST}:${PORT}`;
};

const program = new Command('login')
  .description('Signs in at a server with the embedded sign-in and prints the app token, alone, on stdout.')
  .requiredOption('--email <address>', 'whom to sign in')
  .option('--device <uuid>', 'the device that the token is bound to')
  .option('--admin', 'sign in as an administrator')
  .option('--url <url>', 'the server; the one of this data directory when absent')
  .action(async ({ email, device, admin, url: given }: Options) => {
    const url = serverUrl(given);
    if (!z.email().safeParse(email).success) throw new CliError(2, `--email takes an e-mail address, not "${email}"`);
    if (device !== undefined && !isUuid(device)) throw new CliError(2, `--device takes a UUID, not "${device}"`);
    if (!URL.canParse(url)) throw new CliError(2, `--url takes a URL, not "${url}"`);
    console.log(await walkLogin({ url, email, deviceId: device?.toLowerCase(), admin: admin === true }));
  });

await runCli(program);
