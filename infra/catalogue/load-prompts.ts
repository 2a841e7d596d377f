import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { SystemPrompt } from '../../src/kernel/system-prompt.ts';

const textIn = (file: string): string => readFileSync(new URL(`prompts/${file}`, import.meta.url), 'utf8');

const listSchema = z.array(
  z.strictObject({
    taskType: z.string().regex(/^[a-z][a-z0-9_]*$/),
    version: z.string().regex(/^\d+\.\d+$/),
    description: z.string().min(1),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  }),
);

const repeated = (names: readonly string[]): readonly string[] =>
  names.filter((name, index) => names.indexOf(name) !== index);

/**
 * The prompts of a list, each with its text. Throws one error that names everything that is wrong: a prompt that stands
 * there twice, one without a text.
 */
export const parsePrompts = (list: unknown, textOf: (taskType: string) => string): readonly SystemPrompt[] => {
  const prompts = listSchema
    .parse(list)
    .map((entry): SystemPrompt => ({ ...entry, text: textOf(entry.taskType).trim() }));
  const faults = [
    ...repeated(prompts.map(({ taskType }) => taskType)).map((taskType) => `'${taskType}' stands there twice`),
    ...prompts.filter(({ text }) => text === '').map(({ taskType }) => `'${taskType}' is empty`),
  ];
  if (faults.length > 0) throw new Error(`the system prompts cannot be used:\n${faults.join('\n')}`);
  return prompts;
};

/** The system prompts of this build: prompts.json lists them, one Markdown file each has the text. */
export const loadPrompts = (): readonly SystemPrompt[] =>
  parsePrompts(JSON.parse(textIn('prompts.json')), (taskType) => textIn(`${taskType}.md`));
