import { DomainError } from '../../../kernel/errors.ts';

/** What is wrong with a parameter, by OpenAI's codes. */
export type ParamFault =
  | 'invalid_type'
  | 'invalid_value'
  | 'missing_required_parameter'
  | 'unknown_parameter'
  | 'unsupported_parameter'
  | 'unsupported_value';

/** Refuses a parameter of the body by its dotted path. `detail` says what to do instead. */
export const refuseParam = (param: string, code: ParamFault, detail: string): never => {
  throw new DomainError('validation_error', detail, { details: { param, code } });
};
