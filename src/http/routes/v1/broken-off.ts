import { DomainError } from '../../../kernel/errors.ts';

/**
 * How an answer is told whose model ended it with a fault of its own, such as a call of a function that makes no sense.
 * OpenAI has no reason of an end for that. It was delivered and is charged, so that nobody should repeat it unasked.
 */
export const brokenOff = (): DomainError =>
  new DomainError(
    'external_service_error',
    'the model broke its answer off; what it used is charged. Ask again, or ask with other tools or another model',
    { details: { failure: 'broken_off' } },
  );
