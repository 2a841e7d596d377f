import type { CatalogueEvent } from '../../src/events/catalogue/catalogue.events.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { ChangePrompt } from './catalogue.commands.ts';
import type { Ground } from './ground.ts';

/** "9.0" is followed by "9.1". */
const nextVersion = (version: string): string => {
  const match = /^(.*\.)(\d+)$/.exec(version);
  return match === null ? `${version}.1` : `${match[1] ?? ''}${BigInt(match[2] ?? '0') + 1n}`;
};

/** Another text has another version, so that whoever keeps prompts can tell. */
export const changePrompt = ({ now }: Ground, { data }: ChangePrompt): readonly CatalogueEvent[] => {
  const { id: taskType, text, at, reason } = data;
  const current = now.prompts.find((prompt) => prompt.taskType === taskType);
  if (current === undefined && !Object.hasOwn(now.catalogue.tasks, taskType)) {
    throw new DomainError('not_found', `there is no task '${taskType}'; set the task up first`);
  }
  const description = data.description === undefined ? (current?.description ?? null) : data.description;
  const same = current?.text === text && current.description === description;
  const version = data.version ?? (same ? current.version : nextVersion(current?.version ?? '0.9'));
  if (same && current.version === version) return [];
  if (current?.version === version && current.text !== text) {
    throw new DomainError('validation_error', `version ${version} is another text; leave the version out or raise it`);
  }
  return [{ type: 'SystemPromptChanged', data: { taskType, text, description, version, at, reason } }];
};
