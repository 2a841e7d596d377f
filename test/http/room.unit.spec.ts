import { expect } from 'chai';
import fc from 'fast-check';
import { isDomainError } from '../../src/kernel/errors.ts';
import { roomOf, type Share } from '../../src/http/room.ts';

const MOST = 400;
const OWN = 100;

const refusalOf = (act: () => void): string => {
  try {
    act();
    return 'none';
  } catch (error) {
    if (!isDomainError(error)) throw error;
    expect(error.retryAfterSeconds).to.equal(5);
    return error.errorType;
  }
};

describe('the room for bytes in flight', () => {
  it('refuses an owner with too much, then anybody when all have too much, and is free again afterwards', () => {
    const room = roomOf({ mostBytes: MOST, what: 'bodies' });
    const first = room('ada');
    first.grow(60);
    expect(refusalOf(() => room('ada').grow(41))).to.equal('rate_limit_error');
    room('ada').grow(40);
    for (const owner of ['b', 'c', 'd']) room(owner).grow(OWN);
    expect(refusalOf(() => room('eve').grow(1))).to.equal('service_unavailable');
    first.giveBack();
    first.giveBack();
    room('eve').grow(60);
    expect(refusalOf(() => room('eve').grow(1))).to.equal('service_unavailable');
  });

  it('lets a request that is larger than a bound pass alone', () => {
    const room = roomOf({ mostBytes: MOST, what: 'bodies' });
    const large = room('ada');
    large.grow(MOST + 1);
    expect(refusalOf(() => room('eve').grow(1))).to.equal('service_unavailable');
    large.giveBack();
    room('eve').grow(1);
    expect(refusalOf(() => room('ada').grow(MOST + 1))).to.equal('service_unavailable');
  });

  it('does not count small ones, and all of those that outgrow that', () => {
    const room = roomOf({ mostBytes: MOST, what: 'bodies', freeBytes: 10 });
    for (let many = 0; many < 1000; many += 1) room('ada').grow(10);
    const growing = room('ada');
    for (let bytes = 0; bytes <= OWN; bytes += 1) growing.grow(bytes);
    expect(refusalOf(() => room('ada').grow(11))).to.equal('rate_limit_error');
  });

  it('never gives away more than there is, and has all of it once everything is given back', () => {
    const step = fc.record({
      share: fc.nat(19),
      bytes: fc.integer({ min: 0, max: OWN }),
      giveBack: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const room = roomOf({ mostBytes: MOST, what: 'bodies' });
        const ownerOf = (place: number): string => `user ${place % 6}`;
        const open = (place: number) => ({ share: room(ownerOf(place)), owner: ownerOf(place), bytes: 0 });
        const all: { share: Share; owner: string; bytes: number }[] = Array.from({ length: 20 }, (_none, i) => open(i));
        const sum = (owner?: string): number =>
          all.reduce((total, each) => total + (owner === undefined || each.owner === owner ? each.bytes : 0), 0);
        for (const { share: place, bytes, giveBack } of steps) {
          const one = all[place];
          if (one === undefined) throw new Error('no such share');
          if (giveBack) {
            one.share.giveBack();
            all[place] = open(place);
            continue;
          }
          const wanted = Math.max(one.bytes, bytes);
          const fits = sum(one.owner) - one.bytes + wanted <= OWN && sum() - one.bytes + wanted <= MOST;
          const refused = refusalOf(() => one.share.grow(bytes));
          expect(refused === 'none').to.equal(fits || wanted === one.bytes);
          if (refused === 'none') one.bytes = wanted;
          expect(sum()).to.be.at.most(MOST);
          expect(sum(one.owner)).to.be.at.most(OWN);
        }
        for (const { share } of all) share.giveBack();
        for (const owner of ['a', 'b', 'c', 'd']) room(owner).grow(OWN);
      }),
    );
  });
});
