import { countTokens } from './count-tokens.ts';

/** What the pool runs off the event loop. */
const count = (text: string): number => countTokens(text);

// The pool looks for a default export.
export { count as default };
