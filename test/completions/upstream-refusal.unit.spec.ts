import { expect } from 'chai';
import { refusalFor } from '../../commands/completions/upstream-refusal.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { envelopeOf } from '../../src/http/problem.ts';
import { openAiError } from '../../src/http/openai-errors.ts';
import { UpstreamError, type UpstreamFailure } from '../../src/kernel/upstream.ts';

const refused = (kind: UpstreamFailure, status?: number) => {
  const refusal = refusalFor(new UpstreamError({ provider: 'openai', kind, status, providerMessage: 'their words' }));
  if (!isDomainError(refusal)) throw new Error('it is no refusal');
  return refusal;
};

describe('the refusal for a provider’s failure', () => {
  for (const status of [400, 413, 422, undefined]) {
    it(`is the caller’s to mend when the request is wrong: ${status ?? 'told inside the answer'}`, () => {
      const refusal = refused('invalid_request', status);
      const envelope = envelopeOf(refusal, 'r');
      expect(envelope).to.include({ code: 400, error_type: 'bad_request' });
      expect(envelope.message).to.equal(
        'Bad request: openai did not accept the request; check its parameters or choose another model',
      );
      expect(envelope.error_details).to.deep.equal({
        provider: 'openai',
        failure: 'invalid_request',
        ...(status === undefined ? {} : { status }),
      });
      expect(openAiError(refusal).error).to.include({ type: 'invalid_request_error', param: null, code: null });
    });
  }

  const others: readonly (readonly [UpstreamFailure, number | undefined])[] = [
    ['invalid_request', 405],
    ['auth', 401],
    ['auth', 400],
    ['quota', 402],
    ['not_found', 404],
    ['server', 500],
    ['protocol', undefined],
  ];
  for (const [kind, status] of others) {
    it(`is the provider’s or ours otherwise: ${kind} ${status ?? ''}`, () => {
      expect(envelopeOf(refused(kind, status), 'r')).to.include({ code: 502, error_type: 'external_service_error' });
    });
  }
});
