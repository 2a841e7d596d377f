import { openRouterUpstream } from '../../infra/providers/openrouter/openrouter-upstream.ts';
import { notFoundBut } from './not-found-but.ts';
import { replaySuite } from './replay-suite.ts';

const make = (baseUrl: string) => openRouterUpstream({ baseUrl, apiKey: 'test', clock: () => new Date(0) });

describe('recorded OpenRouter traffic', () => {
  describe('of Chat Completions', () => {
    replaySuite({
      surface: 'openrouter',
      make,
      recorded: 12,
      only: ({ name }) => !name.startsWith('responses-'),
      failures: {
        'error-429-json': 'rate_limit',
        'error-midstream': 'invalid_request',
        'own-cut-off': 'protocol',
        'own-error-in-choice': 'overloaded',
        'own-error-midstream': 'server',
        'own-malformed-chunk': 'protocol',
        'own-no-credit-json': 'quota',
      },
    });
  });

  describe('of the Responses API', () => {
    replaySuite({
      surface: 'openrouter',
      make,
      recorded: 3,
      only: ({ name }) => name.startsWith('responses-'),
      failures: {},
      answer: notFoundBut('/api/v1/responses'),
    });
  });

  describe('of another compatible server', () => {
    replaySuite({
      surface: 'other-groq',
      make: (baseUrl) => make(`${baseUrl}/openai/v1`),
      recorded: 1,
      failures: { 'error-midstream-chat': 'invalid_request', 'own-tool-use-failed': 'invalid_request' },
    });
  });
});
