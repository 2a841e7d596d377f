import { googleUpstream } from '../../infra/providers/google/google-upstream.ts';
import { replaySuite } from './replay-suite.ts';

describe('recorded Gemini traffic', () => {
  replaySuite({
    surface: 'gemini',
    make: (baseUrl) => googleUpstream({ baseUrl, apiKeys: ['test'], clock: () => new Date(0) }),
    recorded: 20,
    failures: {
      'error-404-json': 'not_found',
      'error-429-json': 'rate_limit',
      'error-midstream': 'server',
      'own-bad-key-json': 'auth',
      'own-bare-error': 'server',
      'own-cut-off': 'protocol',
      'own-error-event': 'overloaded',
      'own-malformed-chunk': 'protocol',
      'own-too-long-json': 'context_length',
    },
  });
});
