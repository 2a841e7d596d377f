import { expect } from 'chai';
import { torture } from './torture.ts';

describe('event node: torture', () => {
  it('loses, doubles and reorders nothing when killed again and again', async function () {
    this.timeout(60_000);
    const report = await torture(4, () => 200 + Math.random() * 400);
    expect(report.faults).to.deep.equal([]);
    expect(report.appended).to.be.above(100);
  });
});
