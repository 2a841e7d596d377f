import type { CatalogueService } from '../../../../commands/catalogue/catalogue-service.ts';
import { RUNTIME_SETTINGS } from '../../../events/catalogue/catalogue.events.ts';
import type { Endpoint } from '../../endpoint.ts';
import { changeEndpoint } from './change-endpoint.ts';
import { promptInput, taskParams, type CatalogueInput } from './catalogue-input.ts';

const PROVIDER = '/api/admin/catalogue/providers/:code';
const TASK = '/api/admin/catalogue/tasks/:task';
const SETTINGS = '/api/admin/catalogue/settings';
const PROMPT = '/api/admin/system-prompts/:taskType';

const providerChanges = (service: CatalogueService, input: CatalogueInput): readonly Endpoint[] => [
  changeEndpoint(service, {
    method: 'PUT',
    path: PROVIDER,
    body: input.providerChanges,
    ask: ({ code = '' }, changes) => ({ type: 'ChangeProvider', data: { id: code, changes } }),
  }),
  changeEndpoint(service, {
    method: 'DELETE',
    path: PROVIDER,
    ask: ({ code = '' }) => ({ type: 'Revert', data: { kind: 'provider', id: code } }),
  }),
];

const taskChanges = (service: CatalogueService, input: CatalogueInput): readonly Endpoint[] => [
  changeEndpoint(service, {
    method: 'PUT',
    path: TASK,
    params: taskParams('task'),
    body: input.task,
    ask: ({ task = '' }, settings) => ({ type: 'ChangeTask', data: { id: task, settings } }),
  }),
  changeEndpoint(service, {
    method: 'DELETE',
    path: TASK,
    ask: ({ task = '' }) => ({ type: 'Revert', data: { kind: 'task', id: task } }),
  }),
];

const settingsChanges = (service: CatalogueService, input: CatalogueInput): readonly Endpoint[] => [
  changeEndpoint(service, {
    method: 'PUT',
    path: SETTINGS,
    body: input.settings,
    ask: (_params, changes) => ({ type: 'ChangeSettings', data: { id: RUNTIME_SETTINGS, changes } }),
  }),
  changeEndpoint(service, {
    method: 'DELETE',
    path: SETTINGS,
    ask: () => ({ type: 'Revert', data: { kind: 'settings', id: RUNTIME_SETTINGS } }),
  }),
];

const promptChanges = (service: CatalogueService): readonly Endpoint[] => [
  changeEndpoint(service, {
    method: 'PUT',
    path: PROMPT,
    params: taskParams('taskType'),
    body: promptInput,
    ask: ({ taskType = '' }, { systemPrompt, description, version }) => ({
      type: 'ChangePrompt',
      data: { id: taskType, text: systemPrompt, description, version },
    }),
  }),
  changeEndpoint(service, {
    method: 'DELETE',
    path: PROMPT,
    ask: ({ taskType = '' }) => ({ type: 'Revert', data: { kind: 'prompt', id: taskType } }),
  }),
];

/** Changing, and taking back changes of, providers, tasks, settings and system prompts. */
export const otherChanges = (service: CatalogueService, input: CatalogueInput): readonly Endpoint[] => [
  ...providerChanges(service, input),
  ...taskChanges(service, input),
  ...settingsChanges(service, input),
  ...promptChanges(service),
];
