import { expect } from 'chai';
import { globSync, readFileSync } from 'node:fs';
import { feedSources, untoldCategories } from '../../projections/user-feed/feed-sources.ts';
import { userFeed } from '../../projections/user-feed/user-feed.projection.ts';
import type { Projected } from '../../src/kernel/projection.ts';

const USER = '11111111-1111-4111-8111-111111111111';
const sealed = { k: USER, iv: 'aa', ct: 'bb', tag: 'cc' };

const event = (stream: string, type: string, data: unknown): Projected =>
  ({
    id: 'id',
    stream,
    revision: 3n,
    type,
    data,
    metadata: { occurredAt: '2026-03-01T12:00:00.000Z' },
    created: new Date(),
    position: { commit: 7n, prepare: 7n },
    opened: {},
  }) as unknown as Projected;

const told = (stream: string, type: string, data: unknown): unknown => {
  const [op] = userFeed.apply(event(stream, type, data));
  return op?.op === 'insert' ? op.row : undefined;
};

/** Every kind of stream there is, as the event files name them. */
const categories = globSync('src/events/**/*.events.ts').flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/Streams? (?:are|is) `([A-Za-z]+)-|one stream is `([A-Za-z]+)-/g)].map(
    ([, many, one]) => many ?? one ?? '',
  ),
);

describe('what a user is told', () => {
  it('is decided for every kind of stream', () => {
    const decided = [...feedSources.map(({ category }) => category), ...untoldCategories];
    expect(new Set(decided).size).to.equal(decided.length);
    expect(categories.length).to.be.greaterThan(12);
    for (const category of categories) expect(decided).to.include(category);
  });

  it('is everything of their own: credits, sessions, devices, keys, consent and notifications', () => {
    const own = ['user', 'creditAccount', 'consent'].map((category) => `${category}-${USER}`);
    const naming = ['session', 'device', 'apiKey', 'notification', 'purchase'].map((category) => `${category}-x`);
    for (const stream of own) expect(told(stream, 'Changed', {})).to.include({ user_id: USER, position: 7n });
    for (const stream of naming) {
      expect(told(stream, 'Changed', { userId: USER }), stream).to.include({ user_id: USER, stream });
      expect(told(stream, 'Changed', {}), stream).to.equal(undefined);
    }
  });

  it('is nothing of anybody else’s and nothing of the house', () => {
    for (const category of untoldCategories) {
      expect(told(`${category}-${USER}`, 'Changed', { userId: USER })).to.equal(undefined);
      expect(userFeed.streamPrefixes).to.not.include(`${category}-`);
    }
    expect(told(`creditAccount-${USER}`, 'BooksClosed', {})).to.equal(undefined);
    expect(told(`creditAccountSnapshot-${USER}`, '$snapshot', { userId: USER })).to.equal(undefined);
  });

  it('has no ciphertext, no hash and nothing internal in it, however deep', () => {
    const row = told(`creditAccount-${USER}`, 'ReservationCaptured', {
      reservationId: 'r',
      metered: { cost: '12', rawUsage: { secret: 1 }, lines: [{ class: 'input', ratePico: '1' }] },
      upstreamId: 'resp_1',
      writtenOff: '5',
      note: sealed,
      noteDigest: 'd',
      secretHash: 'h',
      details: { deeper: [{ name: sealed, by: 'admin', kept: true }] },
    });
    expect((row as { data: unknown }).data).to.deep.equal({
      reservationId: 'r',
      metered: { cost: '12', lines: [{ class: 'input', ratePico: '1' }] },
      details: { deeper: [{ kept: true }] },
    });
  });
});
