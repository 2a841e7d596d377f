import { expect } from 'chai';
import { createTestDatabase, freshDatabase, sharedPostgres } from '../support/postgres.ts';
import { ask } from './holder.ts';

describe('the shared test server', function () {
  this.timeout(20_000);

  it('is one for all', async () => {
    expect(await sharedPostgres()).to.equal(await sharedPostgres());
  });

  it('gives each asker an empty database of its own', async () => {
    const [one, two] = await Promise.all([freshDatabase(), createTestDatabase(await sharedPostgres())]);
    await ask(one.config, 'create table mine ()');
    expect(await ask(two.url, `select current_database() as name, to_regclass('mine') as found`)).to.deep.equal([
      { name: two.config.database, found: null },
    ]);
    await Promise.all([one.drop(), two.drop()]);
  });

  it('copies a template, and drops a database that is still in use', async () => {
    const template = await freshDatabase();
    await ask(template.config, 'create table prepared as select 7 as n');
    const copy = await freshDatabase({ template: template.config.database });
    expect(await ask(copy.url, 'select n from prepared')).to.deep.equal([{ n: 7 }]);
    await copy.drop();
    await template.drop();
    const { config } = await sharedPostgres();
    const dropped = [template, copy].map((database) => database.config.database);
    const names = (await ask(config, 'select datname from pg_database')).map(
      (row) => (row as { datname: string }).datname,
    );
    expect(names.filter((name) => dropped.includes(name))).to.deep.equal([]);
  });
});
