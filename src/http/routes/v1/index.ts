import type { Answers } from '../../../../commands/completions/answers/answer.ts';
import type { Endpoint } from '../../endpoint.ts';
import type { Offer } from './callable-models.ts';
import { v1ChatCompletions } from './chat-completions.ts';
import { listModels, oneModel } from './models.ts';

/** Everything under /v1, in OpenAI's format. */
export const v1Endpoints = (deps: Offer & Readonly<{ answers: Pick<Answers, 'open'> }>): readonly Endpoint[] => [
  v1ChatCompletions(deps),
  listModels(deps),
  oneModel(deps),
];
