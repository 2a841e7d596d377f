import { expect } from 'chai';
import fc from 'fast-check';
import {
  isTextOf,
  keyIdIn,
  looksLikeKey,
  newKeyText,
  prefixOf,
  SECRET_BYTES,
} from '../../commands/api-keys/key-text.ts';
import { periodEnd, periodOf } from '../../src/kernel/budget.ts';
import { KEY_ID } from './fixtures.ts';

const secrets = fc.uint8Array({ minLength: SECRET_BYTES, maxLength: SECRET_BYTES });

describe('the text of an API key', () => {
  it('holds its id, for every id and secret, and is only equal to itself', () => {
    fc.assert(
      fc.property(fc.uuid(), secrets, secrets, (keyId, secret, other) => {
        const { text, hash, lastFour } = newKeyText(keyId, secret);
        expect(text).to.match(/^ptc_[0-9a-f]{32}_[0-9A-Za-z]{49}$/);
        expect(text.startsWith(prefixOf(keyId)), 'prefix').to.be.true;
        expect(looksLikeKey(text)).to.be.true;
        expect(keyIdIn(text)).to.equal(keyId);
        expect(text.slice(0, -6).endsWith(lastFour), 'last four').to.be.true;
        expect(isTextOf(text, hash)).to.be.true;
        const same = Buffer.from(secret).equals(Buffer.from(other));
        expect(isTextOf(newKeyText(keyId, other).text, hash)).to.equal(same);
      }),
    );
  });

  it('is not taken for a key when one character is another or missing', () => {
    const { text } = newKeyText(KEY_ID, new Uint8Array(SECRET_BYTES).fill(7));
    for (let place = 0; place < text.length; place += 1) {
      const other = text[place] === '0' ? '1' : '0';
      expect(keyIdIn(text.slice(0, place) + other + text.slice(place + 1)), `place ${place}`).to.equal(undefined);
      expect(keyIdIn(text.slice(0, place) + text.slice(place + 1)), `without ${place}`).to.equal(undefined);
    }
    expect(keyIdIn(`${text} `)).to.equal(undefined);
  });

  it('is compared with what is no hash too', () => {
    expect(isTextOf('ptc_', '')).to.equal(false);
  });
});

describe('the period of a budget', () => {
  it('is named so that later ones sort later, and ends at midnight UTC', () => {
    const at = '2026-12-31T23:59:59.999Z';
    expect([periodOf(at, 'day'), periodOf(at, 'month'), periodOf(at, 'total')]).to.deep.equal([
      '2026-12-31',
      '2026-12',
      '',
    ]);
    const next = '2027-01-01T00:00:00.000Z';
    expect([periodEnd(at, 'day'), periodEnd(at, 'month'), periodEnd(at, 'total')]).to.deep.equal([next, next, null]);
    expect(periodEnd('2028-02-28T12:00:00.000Z', 'day')).to.equal('2028-02-29T00:00:00.000Z');
  });
});
