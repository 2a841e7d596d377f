import { DomainError } from '../../../kernel/errors.ts';
import type { SystemPrompt } from '../../../kernel/system-prompt.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { fresh } from '../../fresh.ts';
import { envelopeOf } from '../../problem.ts';

type Deps = Readonly<{ prompts: () => readonly SystemPrompt[] }>;

const seconds = (at: string): number => Math.floor(Date.parse(at) / 1000);

/** A prompt as clients read it; times are whole seconds since 1970. */
const promptView = ({ taskType, text, description, version, createdAt, updatedAt }: SystemPrompt): object => ({
  id: `default_${taskType}`,
  taskType,
  systemPrompt: text,
  description,
  version,
  createdAt: seconds(createdAt),
  updatedAt: seconds(updatedAt),
});

const byTaskType = (a: SystemPrompt, b: SystemPrompt): number => (a.taskType < b.taskType ? -1 : 1);

/** The collection, under the name that clients use and the one that the documents use. */
const PATHS = ['/api/system-prompts/defaults', '/api/system-prompts'] as const;

const listPrompts = ({ prompts }: Deps, path: string): Endpoint =>
  userEndpoint({
    method: 'GET',
    path,
    limit: 'read',
    scope: 'models',
    handle: (call) => Promise.resolve(fresh(call, prompts().toSorted(byTaskType).map(promptView))),
  });

const onePrompt = ({ prompts }: Deps, path: string): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: `${path}/:taskType`,
    limit: 'read',
    scope: 'models',
    handle: (call) => {
      const prompt = prompts().find(({ taskType }) => taskType === call.params['taskType']);
      if (prompt !== undefined) return Promise.resolve(fresh(call, promptView(prompt)));
      const error = new DomainError('not_found', `there is no prompt for this task; GET ${path} lists them`);
      // This one answer has always had a member `error` too.
      return Promise.resolve(json(404, { error: 'not_found', ...envelopeOf(error, call.requestId) }));
    },
  });

/** The system prompts that clients send with their tasks. */
export const systemPromptEndpoints = (deps: Deps): readonly Endpoint[] =>
  PATHS.flatMap((path) => [listPrompts(deps, path), onePrompt(deps, path)]);
