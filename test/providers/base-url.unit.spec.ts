import { expect } from 'chai';
import { baseUrlOf } from '../../infra/providers/shared/base-url.ts';

describe('the base URL of a provider', () => {
  const cases: readonly (readonly [url: string, version: string | undefined, prefix: string])[] = [
    ['https://a.test', undefined, '/v1'],
    ['https://a.test/v1/', undefined, '/v1'],
    ['https://a.test/proxy', undefined, '/proxy/v1'],
    ['https://a.test/', '/v1beta', '/v1beta'],
    ['https://a.test/v1beta', '/v1beta', '/v1beta'],
    ['https://a.test/v1', '/v1beta', '/v1'],
    ['https://a.test', '/api/v1', '/api/v1'],
    ['https://a.test/api', '/api/v1', '/api/v1'],
    ['https://a.test/api/v1', '/api/v1', '/api/v1'],
    ['https://a.test/openai/v1', '/api/v1', '/openai/v1'],
    ['https://a.test/proxy/', '/api/v1', '/proxy/api/v1'],
  ];
  for (const [url, version, prefix] of cases) {
    it(`reads ${url} for ${version ?? 'the usual version'}`, () => {
      expect(baseUrlOf(url, version)).to.deep.equal({ origin: 'https://a.test', prefix });
    });
  }
});
