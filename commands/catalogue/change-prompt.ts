import type { CatalogueEvent } from '../../src/events/catalogue/catalogue.events.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { SystemPrompt } from '../../src/kernel/system-prompt.ts';
import type { ChangePrompt } from './catalogue.commands.ts';
import type { Ground } from './ground.ts';

/** "9.0" is followed by "9.1"; the first is "1.0". */
const nextVersion = (version: string | undefined): string => {
  if (version === undefined) return '1.0';
  const match = /^(.*\.)(\d+)$/.exec(version);
  return match === null ? `${version}.1` : `${match[1] ?? ''}${BigInt(match[2] ?? '0') + 1n}`;
};

const currentOf = ({ now }: Ground, taskType: string): SystemPrompt | undefined => {
  const current = now.prompts.find((prompt) => prompt.taskType === taskType);
  if (current !== undefined || Object.hasOwn(now.catalogue.tasks, taskType)) return current;
  throw new DomainError('not_found', `there is no task '${taskType}'; set the task up first`);
};

/** The version asked for, else the same for the same, else the next one. */
const versionFor = (current: SystemPrompt | undefined, { version, text }: ChangePrompt['data'], same: boolean) => {
  if (version === undefined) return same && current !== undefined ? current.version : nextVersion(current?.version);
  if (current?.version !== version || current.text === text) return version;
  throw new DomainError('validation_error', `version ${version} is another text; leave the version out or raise it`);
};

/** Another text has another version, so that whoever keeps prompts can tell. */
export const changePrompt = (ground: Ground, { data }: ChangePrompt): readonly CatalogueEvent[] => {
  const { id: taskType, text, at, reason } = data;
  const current = currentOf(ground, taskType);
  const description = data.description === undefined ? (current?.description ?? null) : data.description;
  const same = current?.text === text && current.description === description;
  const version = versionFor(current, data, same);
  if (same && current.version === version) return [];
  return [{ type: 'SystemPromptChanged', data: { taskType, text, description, version, at, reason } }];
};
