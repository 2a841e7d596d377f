import { expect } from 'chai';
import { removeRuntime, writeRuntime } from '../../infra/embedded/data-dir/runtime-file.ts';
import { joinParts } from '../../src/app/joined-parts.ts';
import { parseConfig } from '../../src/config.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDataDir } from '../support/running-server.ts';

const LOOK_EVERY_MS = 5;

const runtime = {
  pid: 1,
  url: 'http://127.0.0.1:8080',
  eventStoreUrl: 'esdb://127.0.0.1:2113?tls=false',
  databaseUrl: 'postgres:///postgres?host=/tmp/a',
  sandboxUrl: 'http://127.0.0.1:9000',
};

describe('a server that joins another', () => {
  const { path, remove } = temporaryDataDir();
  after(remove);

  const given = async (env: Readonly<Record<string, string>> = {}) => {
    writeRuntime(path, runtime);
    const parts = await joinParts(parseConfig(env), path, LOOK_EVERY_MS);
    let lost: string | undefined;
    void parts.lost.then((name) => {
      lost = name;
    });
    return { parts, lost: () => lost };
  };

  it('loses its parts once the other one notes them elsewhere, and not before', async () => {
    const one = await given();
    const two = await given({ EVENTSTORE_URL: 'esdb://events.test:2113' });
    removeRuntime(path);
    writeRuntime(path, { ...runtime, pid: 2, url: 'http://127.0.0.1:8090' });
    writeRuntime(path, { ...runtime, eventStoreUrl: 'esdb://127.0.0.1:2999?tls=false' });
    expect(await eventually('the loss', one.lost)).to.equal('joined server at its old addresses');
    expect(two.lost(), 'what was configured does not move').to.equal(undefined);
    writeRuntime(path, { ...runtime, sandboxUrl: 'http://127.0.0.1:9001' });
    await eventually('the loss of a part that was not configured', two.lost);
  });

  it('needs one that runs', async () => {
    removeRuntime(path);
    const refused = await joinParts(parseConfig({}), path).catch((error: unknown) => String(error));
    expect(refused).to.include('No running server has noted its parts');
  });
});
