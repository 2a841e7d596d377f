import { expect } from 'chai';
import { asOfInput, mustBeReached, periodInput, positionInput, userInput } from '../../src/cli/finance-input.ts';
import { csvCell, JOURNAL_HEAD, journalLines } from '../../src/finance/journal-csv.ts';
import { reconciled } from '../../src/finance/reconciled.ts';
import type { Booked } from '../../src/finance/trial-balance.ts';
import type { Disagreement } from '../../queries/finance/reconciliation.query.ts';
import type { Query } from '../../src/kernel/query.ts';

const NOW = new Date('2026-03-10T12:00:00.000Z');
const asOf = (text?: string) => asOfInput(text, NOW);

describe('what finance is asked', () => {
  it('is a day to its end, a time or a position', () => {
    expect(asOf()).to.deep.equal({ kind: 'now', at: NOW });
    expect(asOf('4711')).to.deep.equal({ kind: 'position', commit: 4711n });
    expect(asOf('2026-01-31')).to.deep.equal({ kind: 'time', at: new Date('2026-01-31T23:59:59.999Z') });
    expect(asOf('2026-01-31T10:00+02:00')).to.deep.equal({ kind: 'time', at: new Date('2026-01-31T08:00:00.000Z') });
    expect(asOf('2024-02-29')).to.deep.equal({ kind: 'time', at: new Date('2024-02-29T23:59:59.999Z') });
    expect(asOf('2026-03-10'), 'today').to.deep.equal({ kind: 'now', at: NOW });
  });

  it('is no day that there is not, no time without a zone, and nothing in the future', () => {
    const refused = ['2026-02-31', '2026-13-01', '2026-01-31T10:00', '2026-01-31T25:00Z', '31.1.2026', 'now', '-5', ''];
    for (const text of [...refused, '2026-03-11', '2026-03-10T12:00:01Z']) {
      expect(() => asOf(text), text).to.throw('--as-of');
    }
    expect(() => positionInput('2026-01-31')).to.throw('--to-position');
    expect(() => periodInput('2026-00')).to.throw('--period');
    expect(() => userInput('ada')).to.throw('--user');
  });

  it('is a position that the log has reached', async () => {
    const store = { head: () => Promise.resolve({ commit: 20n, prepare: 20n }) };
    await mustBeReached(store, { kind: 'position', commit: 20n });
    const refusal = await mustBeReached(store, { kind: 'position', commit: 21n }).catch((error: unknown) => error);
    expect(String(refusal)).to.contain('the log ends at position 20');
  });
});

describe('the export of the journal', () => {
  it('has as many cells a line as its head, whatever is in them, and no formula', () => {
    expect(csvCell('plain')).to.equal('plain');
    expect(csvCell('a "b", c')).to.equal('"a ""b"", c"');
    for (const formula of ['=1+1', '+1', '-1', '@x', '\tx']) expect(csvCell(formula)[0], formula).to.equal("'");
    const booked = {
      event: { stream: 's,1', revision: 3n, position: { commit: 7n, prepare: 7n }, type: 'CreditsPurchased' },
      entry: {
        userId: 'u',
        at: '2026-01-01T00:00:00.000Z',
        bookedIn: '2026-01',
        postings: [{ account: '2000', dr: 0n, cr: 5n, lotId: '=HYPERLINK("x")' }],
      },
    } as unknown as Booked;
    const [line] = journalLines(booked);
    expect(line).to.equal(
      '7,"s,1",3,0,2026-01-01T00:00:00.000Z,2026-01,CreditsPurchased,2000,0,5,u,"\'=HYPERLINK(""x"")",,',
    );
    expect(JOURNAL_HEAD.split(',')).to.have.length(14);
  });
});

describe('reconciling read models while they are written', () => {
  const said = (userId: string, one: number, other: number): Disagreement => ({
    userId,
    what: 'paid: balance and journal',
    one: String(one),
    other: String(other),
  });
  const looking = (...looks: readonly (readonly Disagreement[])[]) => {
    let look = -1;
    const asSystem = <T>(_query: Query<never, T>): Promise<T> => {
      look += 1;
      return Promise.resolve((looks[look] ?? looks.at(-1)) as T);
    };
    return { queries: { asSystem } as Parameters<typeof reconciled>[0]['queries'], pause: () => Promise.resolve() };
  };

  it('tells what stays wrong, and not what was only behind', async () => {
    const wrong = said('wrong', 5, 4);
    expect(await reconciled(looking([]))).to.deep.equal([]);
    expect(await reconciled(looking([wrong, said('behind', 9, 2)], [wrong], [wrong]))).to.deep.equal([wrong]);
    expect(await reconciled(looking([said('busy', 9, 2)], [said('busy', 12, 9)]))).to.deep.equal([]);
    // The account goes on while one of its read models lacks the same money.
    expect(await reconciled(looking([said('ada', 5, 4)], [said('ada', 8, 7)]))).to.deep.equal([said('ada', 8, 7)]);
  });
});
