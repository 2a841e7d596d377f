import { REQUIRED_TASKS, resolveModel, type Catalogue, type Model, type TaskSettings } from './catalogue.ts';

const repeated = (names: readonly string[]): readonly string[] =>
  names.filter((name, index) => names.indexOf(name) !== index);

const modelFaults = (catalogue: Catalogue, model: Model): readonly string[] => {
  const faults: string[] = [];
  const codes = new Set(catalogue.providers.map(({ code }) => code));
  const { price } = model;
  if (!codes.has(model.provider)) faults.push(`its provider '${model.provider}' is unknown`);
  if (model.mappings[model.provider] === undefined) faults.push(`it has no name at its provider '${model.provider}'`);
  for (const code of Object.keys(model.mappings)) {
    if (!codes.has(code)) faults.push(`it has a name at '${code}', which is no provider`);
  }
  if ((price.longContext === undefined) !== (price.longContextAbove === undefined)) {
    faults.push('its long-context threshold and its long-context price must stand together');
  }
  if (model.modelType !== 'transcription' && model.contextWindow <= 0) faults.push('it has no context window');
  return faults.map((fault) => `model '${model.id}': ${fault}`);
};

const taskFaults = (catalogue: Catalogue, name: string, task: TaskSettings): readonly string[] => {
  const faults: string[] = [];
  for (const id of new Set([task.model, ...task.allowedModels])) {
    if (resolveModel(catalogue, id) === undefined) faults.push(`model '${id}' cannot be called`);
  }
  if (!task.allowedModels.includes(task.model)) faults.push(`its own model '${task.model}' is not among the allowed`);
  if (task.temperature < 0 || task.temperature > 2) faults.push('temperature must be within 0 and 2');
  if (task.maxTokens < 1) faults.push('maxTokens must be positive');
  return faults.map((fault) => `task '${name}': ${fault}`);
};

/** Everything that is inconsistent in a catalogue, one line each; an empty list when it can be offered. */
export const catalogueFaults = (catalogue: Catalogue): readonly string[] => [
  ...repeated(catalogue.providers.map(({ code }) => code)).map((code) => `provider '${code}' stands there twice`),
  ...repeated(catalogue.models.map(({ id }) => id)).map((id) => `model '${id}' stands there twice`),
  ...catalogue.models.flatMap((model) => modelFaults(catalogue, model)),
  ...Object.entries(catalogue.tasks).flatMap(([name, task]) => taskFaults(catalogue, name, task)),
  ...REQUIRED_TASKS.filter((name) => !(name in catalogue.tasks)).map((name) => `task '${name}' is missing`),
];
