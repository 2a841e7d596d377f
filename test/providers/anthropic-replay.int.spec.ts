import { anthropicUpstream } from '../../infra/providers/anthropic/anthropic-upstream.ts';
import { replaySuite } from './replay-suite.ts';

describe('recorded Anthropic traffic', () => {
  replaySuite({
    surface: 'anthropic',
    make: (baseUrl) => anthropicUpstream({ baseUrl, apiKey: 'test', clock: () => new Date(0) }),
    recorded: 21,
    failures: {
      'error-400-json': 'invalid_request',
      'error-404-json': 'not_found',
      'own-cut-off': 'protocol',
      'own-malformed-chunk': 'protocol',
      'own-no-credit-json': 'quota',
      'own-overloaded-midstream': 'overloaded',
      'own-too-long-json': 'context_length',
    },
  });
});
