import { expect } from 'chai';
import { partsOf } from '../../src/http/routes/llm/chat-parts.ts';

describe('a mark for the cache', () => {
  const part = (cache_control: unknown) => [{ type: 'text', text: 'x', cache_control }];

  it('is read from any part', () => {
    const marked = [{ type: 'text', text: 'x', cachePoint: true }];
    expect(partsOf(part({ type: 'ephemeral' }), 'content')).to.deep.equal(marked);
    expect(partsOf(part({ type: 'ephemeral', ttl: '5m' }), 'content')).to.deep.equal(marked);
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } };
    expect(partsOf([{ ...image, cache_control: { type: 'ephemeral' } }], 'content')[0]).to.include({
      cachePoint: true,
    });
  });

  it('is not there when nobody set it', () => {
    for (const nothing of [undefined, null]) {
      expect(partsOf(part(nothing), 'content')).to.deep.equal([{ type: 'text', text: 'x' }]);
    }
  });

  it('is refused when it asks for more than it gets', () => {
    for (const other of [{ type: 'ephemeral', ttl: '1h' }, { type: 'eternal' }, 'ephemeral', {}]) {
      expect(() => partsOf(part(other), 'content')).to.throw(/content\.0\.cache_control/);
    }
  });
});
