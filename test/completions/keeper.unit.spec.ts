import { expect } from 'chai';
import { answerKeeper } from '../../commands/completions/answers/keeper.ts';
import { recording } from '../../commands/completions/answers/recording.ts';
import type { AnswerNews } from '../../src/kernel/answer-log.ts';
import { eventually } from '../support/eventually.ts';
import { memoryLogger } from '../support/memory-logger.ts';

const MANY = 50;
const TEXT = 'x'.repeat(10_000);
const ANSWER_BYTES = 20_128;
const MOST_WAITING = 10 * ANSWER_BYTES;

const headOf = (place: number) => ({
  requestId: `request ${place}`,
  userId: 'ada',
  modelId: 'm',
  provider: 'p',
  startedAt: '2026-11-23T10:00:00.000Z',
});

/** The log is away until it comes back. */
const givenKeeper = () => {
  const written = new Map<string, AnswerNews>();
  const { logger, lines } = memoryLogger();
  let isAway = true;
  const keeper = answerKeeper({
    log: {
      write: (news) => {
        if (isAway) return Promise.reject(new Error('away'));
        for (const each of news) written.set(each.head.requestId, each);
        return Promise.resolve(new Set());
      },
    },
    logger,
    mostWaitingBytes: MOST_WAITING,
  });
  const settled: number[] = [];
  const answer = (place: number): void => {
    const said = recording();
    keeper.keep(headOf(place), said, () => undefined);
    said.add([{ type: 'text', text: TEXT }]);
    void keeper.end(`request ${place}`, { place }).then(() => settled.push(place));
  };
  return { keeper, answer, settled, written, lines, comeBack: () => (isAway = false) };
};

describe('ended answers that cannot be written', () => {
  it('wait within a bound: the oldest are given up, which is said once, and the others are written', async () => {
    const { keeper, answer, settled, written, lines, comeBack } = givenKeeper();
    answer(0);
    await eventually('the log is known to be away', () => (keeper.isHealthy() ? undefined : true));
    for (let place = 1; place < MANY; place += 1) answer(place);
    const kept = Array.from({ length: 10 }, (_none, index) => MANY - 10 + index);
    await eventually('the oldest are given up', () => (settled.length === MANY - 10 ? true : undefined));
    expect(settled).to.deep.equal(Array.from({ length: MANY - 10 }, (_none, index) => index));
    expect(lines.filter(({ message }) => message.includes('given up'))).to.have.length(1);
    comeBack();
    await eventually('the rest is written', () => (settled.length === MANY ? true : undefined));
    expect([...written.keys()]).to.deep.equal(kept.map((place) => `request ${place}`));
    for (const place of kept) expect(written.get(`request ${place}`)).to.deep.include({ over: { place }, from: 0 });
    keeper.close();
  });
});
