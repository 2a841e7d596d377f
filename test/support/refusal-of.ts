import { expect } from 'chai';
import { isDomainError, type DomainError } from '../../src/kernel/errors.ts';

/** What an attempt is refused with; fails when it is not. */
export const refusalOf = async (attempt: Promise<unknown>): Promise<DomainError> => {
  try {
    await attempt;
  } catch (error) {
    if (isDomainError(error)) return error;
    throw error;
  }
  return expect.fail('nothing was refused');
};
