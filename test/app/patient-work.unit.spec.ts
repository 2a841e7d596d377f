import { expect } from 'chai';
import { patientWork } from '../../src/app/patient-work.ts';
import { memoryLogger } from '../support/memory-logger.ts';

describe('work for users that nobody waits for', () => {
  const given = () => {
    let now = Date.parse('2026-11-23T10:00:00Z');
    let went: () => Promise<'over' | 'under_way'> = () => Promise.resolve('over');
    const calls: string[] = [];
    const { logger, lines } = memoryLogger();
    const work = patientWork({
      work: (userId) => {
        calls.push(userId);
        return went();
      },
      clock: () => new Date(now),
      logger,
      firstRestMs: 2_000,
      longestRestMs: 9_000,
    });
    /** Looks every second for so long, and answers after how many seconds work was begun. */
    const watched = async (seconds: number, userId = 'ada'): Promise<readonly number[]> => {
      const begun: number[] = [];
      for (let second = 0; second < seconds; second += 1) {
        const before = calls.length;
        work.look(userId);
        await work.idle();
        if (calls.length > before) begun.push(second);
        now += 1_000;
      }
      return begun;
    };
    return { work, calls, lines, watched, becomes: (next: typeof went) => (went = next) };
  };

  it('is done at each look when it comes to its end', async () => {
    expect(await given().watched(4)).to.deep.equal([0, 1, 2, 3]);
  });

  it('rests for twice as long each time while it is under way, up to a limit', async () => {
    const { becomes, watched } = given();
    becomes(() => Promise.resolve('under_way'));
    expect(await watched(40)).to.deep.equal([0, 2, 6, 14, 23, 32]);
  });

  it('rests after a failure, which is told', async () => {
    const { becomes, watched, lines } = given();
    becomes(() => Promise.reject(new Error('the provider is away')));
    expect(await watched(7)).to.deep.equal([0, 2, 6]);
    expect(lines.map(({ fields }) => fields['userId'])).to.deep.equal(['ada', 'ada', 'ada']);
  });

  it('does not make others rest, and begins afresh once it is over', async () => {
    const { becomes, watched } = given();
    becomes(() => Promise.resolve('under_way'));
    await watched(5);
    becomes(() => Promise.resolve('over'));
    expect(await watched(2, 'bob')).to.deep.equal([0, 1]);
    expect(await watched(3)).to.deep.equal([0, 1, 2]);
    becomes(() => Promise.resolve('under_way'));
    expect(await watched(3)).to.deep.equal([0, 2]);
  });

  it('is begun at once when something has changed, and never twice at a time', async () => {
    const { becomes, watched, work, calls } = given();
    becomes(() => Promise.resolve('under_way'));
    await watched(1);
    const held = Promise.withResolvers<'over'>();
    becomes(() => held.promise);
    work.begin('ada');
    work.begin('ada');
    work.look('ada');
    expect(calls).to.have.length(2);
    held.resolve('over');
    await work.idle();
  });
});
