import { expect } from 'chai';
import fc from 'fast-check';
import { paddedBase64 } from '../../src/http/routes/llm/base64-text.ts';

describe('base64 of a caller', () => {
  it('is taken whatever it says, with its padding or without', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 50 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        expect(paddedBase64(text)).to.equal(text);
        expect(paddedBase64(text.replace(/=+$/, ''))).to.equal(text);
      }),
    );
  });

  it('is known from everything else, wherever that stands', () => {
    for (const text of ['', '=', '====', 'Q', 'QUJDQ', 'QQ=', 'QQ===', 'QUJD=', 'Q=Q=', 'QU_D', 'QU-D', 'QU D', 'é']) {
      expect(paddedBase64(text), text).to.equal(undefined);
    }
    fc.assert(
      fc.property(fc.nat(399), fc.constantFrom('!', '-', '_', '%', ' ', '\u0000', 'é', '='), (place, odd) => {
        const text = 'QUJD'.repeat(100);
        expect(paddedBase64(text.slice(0, place) + odd + text.slice(place + 1))).to.equal(
          odd === '=' && place === 399 ? `${text.slice(0, 399)}=` : undefined,
        );
      }),
    );
  });
});
