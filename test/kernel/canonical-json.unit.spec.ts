import canonicalize from 'canonicalize';
import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalJson } from '../../src/kernel/canonical-json.ts';

describe('canonical JSON', () => {
  it('writes any JSON value as the library does', () => {
    const value = fc.jsonValue({ maxDepth: 5 });
    fc.assert(
      fc.property(value, (json) => {
        expect(canonicalJson(json)).to.equal(canonicalize(json));
      }),
      { numRuns: 500 },
    );
  });

  it('orders names by their UTF-16 units, numbers among them, and writes numbers in their shortest form', () => {
    const value = { b: 1e21, 10: 0.1, 9: -0, a: { z: [], é: null, '€': '\u2028', '😀': '"\\\n' }, ﬁ: 1e-7 };
    expect(canonicalJson(value)).to.equal(canonicalize(value));
  });

  it('leaves out what is undefined, and writes it as null in lists', () => {
    const value = { a: undefined, b: [undefined, 1], c: new Date(0) };
    expect(canonicalJson(value)).to.equal('{"b":[null,1],"c":"1970-01-01T00:00:00.000Z"}');
  });

  it('throws on what is no JSON', () => {
    for (const value of [Number.NaN, { a: Infinity }, ['\ud800'], { '\udc00': 1 }, undefined, { a: 1n }])
      expect(() => canonicalJson(value)).to.throw();
  });
});
