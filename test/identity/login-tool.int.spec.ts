import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { LocalIssuer } from '../../infra/embedded/issuer/issuer.ts';
import { startServer, startTestIssuer, type WholeServer } from './whole-login.ts';

type Ended = Readonly<{ code: number; stdout: string; stderr: string }>;

const login = (...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, ['src/cli/login.ts', ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr });
    });
  });

/** An address that nobody listens at. */
const deadUrl = async (): Promise<string> => {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return `http://127.0.0.1:${port}`;
};

describe('the login tool', function () {
  this.timeout(60_000);
  let issuer: LocalIssuer;
  let server: WholeServer;

  before(async () => {
    issuer = await startTestIssuer();
    server = await startServer({ issuerUrl: issuer.url });
  });
  after(async () => {
    await server.close();
    await issuer.stop();
  });

  it('prints the token alone, for the person and the device that were asked for', async () => {
    const device = randomUUID().toUpperCase();
    const ended = await login('--url', server.url, '--email', 'ada@example.test', '--device', device, '--admin');
    expect(ended).to.include({ code: 0, stderr: '' });
    expect(ended.stdout).to.match(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const claims = await server.tokens.verify(ended.stdout.trim(), server.time.clock());
    expect(claims).to.include({ email: 'ada@example.test', role: 'admin', deviceId: device.toLowerCase() });
  });

  it('ends with 2 when nobody is there, when the sign-in is elsewhere and when it is used wrongly', async () => {
    const elsewhere = await startServer({ issuerUrl: issuer.url, embedded: false });
    const email = ['--email', 'ada@example.test'];
    const all = await Promise.all([
      login('--url', await deadUrl(), ...email),
      login('--url', elsewhere.url, ...email),
      login('--url', issuer.url, ...email),
      login('--url', server.url),
      login('--url', server.url, '--email', 'nobody'),
      login('--url', server.url, ...email, '--device', 'phone'),
    ]);
    await elsewhere.close();
    expect(all.map(({ code }) => code)).to.deep.equal(Array(6).fill(2));
    for (const { stdout, stderr } of all) {
      expect(stdout).to.equal('');
      expect(stderr.trim()).not.to.equal('');
    }
  });

  it('ends with 1 when it is refused, and says why', async () => {
    server.store.outage(true);
    const ended = await login('--url', server.url, '--email', 'ada@example.test');
    server.store.outage(false);
    expect(ended).to.include({ code: 1, stdout: '' });
    expect(ended.stderr).to.match(/finishing the sign-in/);
  });
});
