import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerLog } from '../../infra/postgres/answer-log.ts';
import type { DatabasePools } from '../../infra/postgres/pools.ts';
import { sqliteVault } from '../../infra/vault/sqlite-vault.ts';
import { isDatabaseUnavailable } from '../../src/kernel/query.ts';
import type { SubjectVault } from '../../src/kernel/vault.ts';
import { answerLogContract, headOf, newsOf } from '../contract/answer-log.contract.ts';
import { memoryAnswerLog } from '../support/memory-answer-log.ts';
import { database } from './fixture.ts';

describe('recorded answers in memory', () => {
  answerLogContract(memoryAnswerLog);
});

describe('recorded answers in Postgres', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'answers-'));
  let pools: DatabasePools;
  let drop: () => Promise<void>;
  let vault: SubjectVault;

  before(async () => {
    ({ pools, drop } = await database());
    vault = sqliteVault({ masterKey: 'ab'.repeat(32), path: join(folder, 'vault.sqlite') });
  });
  after(async () => {
    await vault.close();
    await drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const log = () => answerLog({ pool: pools.appSystem, vault });

  answerLogContract(log);

  it('hold no word in clear', async () => {
    await log().write([newsOf(headOf(), 0, ['a secret between us'])]);
    const { rows } = await pools.owner.query<{ text: string }>(
      'select answer::text || coalesce(piece::text, $1) as text from app.answer left join app.answer_piece piece using (request_id)',
      [''],
    );
    expect(rows).to.not.have.length(0);
    for (const { text } of rows) expect(text).to.not.contain('secret');
  });

  it("are gone with their user's key, and nothing more of that user is kept", async () => {
    const head = headOf();
    const other = headOf();
    await log().write([newsOf(head, 0, ['a'], {})]);
    await vault.destroy(head.userId);
    expect(await log().read(head.requestId, 0)).to.equal(undefined);
    const late = headOf({ userId: head.userId });
    await log().write([newsOf(late, 0, ['b']), newsOf(other, 0, ['c'])]);
    expect(await log().read(late.requestId, 0)).to.equal(undefined);
    expect((await log().read(other.requestId, 0))?.events).to.have.length(1);
  });

  it('cannot be moved to another request', async () => {
    const [mine, theirs] = [headOf(), headOf()];
    await log().write([newsOf(mine, 0, ['mine']), newsOf(theirs, 0, ['theirs'])]);
    await pools.owner.query(
      'update app.answer_piece set sealed = (select sealed from app.answer_piece where request_id = $1) where request_id = $2',
      [mine.requestId, theirs.requestId],
    );
    const reading = log().read(theirs.requestId, 0);
    expect(
      await reading.then(
        () => 'read',
        () => 'refused',
      ),
    ).to.equal('refused');
  });

  it('are nothing that the role which serves users can see', async () => {
    const reading = pools.appUser.query('select 1 from app.answer');
    expect(
      await reading.then(
        () => 'read',
        (error: unknown) => (error as { code?: string }).code,
      ),
    ).to.equal('42501');
  });

  it('say that the database is away when it is', async () => {
    const gone = { query: () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })) };
    const reading = answerLog({ pool: gone as never, vault }).read(headOf().requestId, 0);
    const error = await reading.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(isDatabaseUnavailable(error)).to.equal(true);
  });
});
