import { xaiUpstream } from '../../infra/providers/xai/xai-upstream.ts';
import { notFoundBut } from './not-found-but.ts';
import { replaySuite } from './replay-suite.ts';

const suite = {
  surface: 'xai',
  make: (baseUrl: string) => xaiUpstream({ baseUrl, apiKey: 'test', clock: () => new Date(0) }),
};

describe('recorded xAI traffic', () => {
  describe('of Chat Completions', () => {
    replaySuite({
      ...suite,
      recorded: 5,
      only: ({ name }) => !name.startsWith('responses-'),
      failures: {
        'own-error-json': 'rate_limit',
        'own-error-midstream': 'overloaded',
        'own-malformed-chunk': 'protocol',
        'own-too-long-json': 'context_length',
      },
    });
  });

  describe('of the Responses API', () => {
    replaySuite({
      ...suite,
      recorded: 5,
      only: ({ name }) => name.startsWith('responses-'),
      failures: {},
      answer: notFoundBut('/v1/responses'),
    });
  });
});
