import { expect } from 'chai';
import { givenProviders } from './given-providers.ts';
import { ownCasesOf, type RecordedCase } from './recorded-cases.ts';

const failed = ({ expected }: RecordedCase): boolean => expected.error !== undefined;

/** What may happen to an answer, each told by what is expected of the case. */
const classes: Readonly<Record<string, (fixture: RecordedCase) => boolean>> = {
  'a text': ({ expected }) => expected.finish_reason === 'stop' && (expected.text ?? '') !== '',
  'calls of tools': ({ expected }) => (expected.tool_calls ?? []).length > 0,
  reasoning: ({ expected }) => (expected.reasoning_tokens ?? 0) > 0,
  'a refusal': ({ expected }) => expected.finish_reason === 'content_filter' || expected.refusal !== undefined,
  'the output limit': ({ expected }) => expected.finish_reason === 'length',
  'cached input': ({ expected }) => (expected.cached_tokens ?? 0) > 0,
  'an error before the answer': (fixture) => failed(fixture) && fixture.status >= 400,
  'an error inside the answer': (fixture) => failed(fixture) && fixture.status === 200,
  'no usage': (fixture) => !failed(fixture) && fixture.expected.prompt_tokens === null,
  'a piece that is no JSON': ({ expected }) => expected.error?.message === 'an event is not JSON',
  'the same answer, streamed and at once': ({ name }) => name === 'own-same-streamed',
};

describe('our own fixtures', () => {
  for (const [provider, { surfaces }] of Object.entries(givenProviders)) {
    for (const [what, isOne] of Object.entries(classes)) {
      it(`of ${provider} hold ${what}`, () => {
        expect(surfaces.flatMap(ownCasesOf).filter(isOne)).to.not.have.length(0);
      });
    }
  }
});
