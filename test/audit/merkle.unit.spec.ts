import { expect } from 'chai';
import fc from 'fast-check';
import { leafHash, merklePath, merkleRoot, rootFromPath } from '../../src/kernel/merkle.ts';

/** The leaves and roots that implementations of RFC 6962 are tested with. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  (hex) => leafHash(Buffer.from(hex, 'hex')),
);
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const leavesOf = (count: number): readonly Buffer[] => Array.from({ length: count }, (_, n) => leafHash(`leaf ${n}`));

describe('a Merkle tree', () => {
  it('has the roots of RFC 6962', () => {
    expect(ROOTS.map((_, n) => merkleRoot(LEAVES.slice(0, n + 1)))).to.deep.equal(ROOTS);
    expect(() => merkleRoot([])).to.throw('a tree has leaves');
  });

  it('leads from each leaf to the root by a path of at most its height', () => {
    for (const count of [1, 2, 3, 5, 8, 13, 100, 1000]) {
      const leaves = leavesOf(count);
      const root = merkleRoot(leaves);
      for (const [index, leaf] of leaves.entries()) {
        const path = merklePath(leaves, index);
        expect(path.length).to.be.at.most(Math.ceil(Math.log2(count)));
        expect(rootFromPath(leaf, { index, count, path })).to.equal(root);
        if (count === 1000 && index > 20) break;
      }
    }
  });

  it('does not lead there from another leaf, another place, another count or another path', () => {
    const numbers = fc.record({ count: fc.integer({ min: 2, max: 70 }), at: fc.nat(), other: fc.nat() });
    fc.assert(
      fc.property(numbers, ({ count, at, other }) => {
        const leaves = leavesOf(count);
        const index = at % count;
        const path = merklePath(leaves, index);
        const root = merkleRoot(leaves);
        const leaf = leaves[index]!;
        const wrong = other % count;
        if (wrong !== index) {
          expect(rootFromPath(leaves[wrong]!, { index, count, path })).to.not.equal(root);
          expect(rootFromPath(leaf, { index: wrong, count, path })).to.not.equal(root);
        }
        for (const odd of [path.slice(1), [...path, root], path.map((hash) => hash.toUpperCase() + '0')]) {
          expect(rootFromPath(leaf, { index, count, path: odd })).to.not.equal(root);
        }
        for (const place of [-1, count, 0.5, Number.NaN]) {
          expect(rootFromPath(leaf, { index: place, count, path })).to.equal(undefined);
        }
      }),
    );
  });

  it('does not take a node for a leaf', () => {
    const [a, b] = leavesOf(2);
    expect(leafHash(Buffer.concat([a!, b!])).toString('hex')).to.not.equal(merkleRoot([a!, b!]));
  });
});
