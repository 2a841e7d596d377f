const REASONING = /^grok-(?:4|3-mini|code)/;
const NOT_REASONING = /non-reasoning/;

/** Efforts by the start of the name, the more special ones first; other models choose for themselves. */
const EFFORTS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^grok-3-mini/, ['low', 'high']],
  [/^grok-(?:4\.[3-9]|latest)/, ['none', 'low', 'medium', 'high']],
];

/** True for models that think before they answer; they refuse penalties and stop words. */
export const reasons = (model: string): boolean => REASONING.test(model) && !NOT_REASONING.test(model);

/** The efforts that the model can be told; none when it chooses for itself. */
export const effortsOf = (model: string): readonly string[] =>
  NOT_REASONING.test(model) ? [] : (EFFORTS.find(([pattern]) => pattern.test(model))?.[1] ?? []);
