import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { loadPrompts, parsePrompts } from '../../infra/catalogue/load-prompts.ts';

/** The task types that clients ask for, with the versions that they know. */
const KNOWN = {
  extended_path_finder: '2.1',
  file_relevance_assessment: '1.0',
  generic_llm_stream: '2.0',
  implementation_plan: '5.0',
  implementation_plan_merge: '6.0',
  implementation_plan_title: '1.0',
  local_file_filtering: '1.0',
  path_finder: '2.0',
  regex_file_filter: '5.0',
  root_folder_selection: '1.0',
  task_refinement: '9.0',
  text_improvement: '4.0',
  video_analysis: '3.0',
  voice_transcription: '2.0',
  web_search_execution: '13.0',
  web_search_prompts_generation: '19.0',
};

/** What the transcription endpoint takes as a prompt. */
const LONGEST_FOR_SPEECH = 1000;

const entry = (taskType: string, more: object = {}) => ({
  taskType,
  version: '1.0',
  description: 'For a test.',
  createdAt: '2026-01-01T00:00:00Z',
  updatedAt: '2026-01-01T00:00:00Z',
  ...more,
});

describe('the system prompts', () => {
  const prompts = loadPrompts();
  const textOf = (task: string): string => prompts.find(({ taskType }) => taskType === task)!.text;

  it('are there for every task that clients ask for', () => {
    expect(Object.fromEntries(prompts.map(({ taskType, version }) => [taskType, version]))).to.deep.equal(KNOWN);
  });

  it('have a file each, and no file is left over', () => {
    const files = readdirSync(new URL('../../infra/catalogue/prompts/', import.meta.url));
    expect(
      files
        .filter((name) => name.endsWith('.md'))
        .map((name) => name.slice(0, -3))
        .sort(),
    ).to.deep.equal(Object.keys(KNOWN).sort());
  });

  it('are texts of some length, each another', () => {
    expect(new Set(prompts.map(({ text }) => text)).size).to.equal(prompts.length);
    for (const { taskType, text } of prompts) {
      expect(text, taskType).to.equal(text.trim());
      expect(text.length, taskType).to.be.greaterThan(300);
    }
  });

  it('fit where speech is transcribed', () => {
    expect(textOf('voice_transcription').length).to.be.at.most(LONGEST_FOR_SPEECH);
  });

  it('show the JSON that they ask for as JSON', () => {
    for (const task of ['regex_file_filter', 'web_search_prompts_generation']) {
      const example = textOf(task).split('\n').at(-1)!;
      expect(() => JSON.parse(example) as unknown, task).not.to.throw();
    }
    const { patternGroups } = JSON.parse(textOf('regex_file_filter').split('\n').at(-1)!) as {
      patternGroups: { pathPattern: string; contentPattern: string; negativePathPattern: string }[];
    };
    const [{ pathPattern, contentPattern, negativePathPattern }] = patternGroups as [(typeof patternGroups)[number]];
    expect('src/auth/session-store.ts').to.match(new RegExp(pathPattern, 'i'));
    expect('class SessionStore {').to.match(new RegExp(contentPattern, 'i'));
    expect('src/auth/session-store.test.ts').to.match(new RegExp(negativePathPattern, 'i'));
  });

  it('ask for one path a line wherever paths are the answer', () => {
    for (const task of [
      'extended_path_finder',
      'file_relevance_assessment',
      'local_file_filtering',
      'path_finder',
      'root_folder_selection',
    ]) {
      expect(textOf(task), task).to.match(/one path per line|one per line/);
    }
  });

  it('are refused when one is empty or stands there twice', () => {
    const read =
      (list: readonly object[], text = 'Text.') =>
      () =>
        parsePrompts(list, () => text);
    expect(read([entry('one'), entry('two'), entry('one')])).to.throw("'one' stands there twice");
    expect(read([entry('one')], ' \n')).to.throw("'one' is empty");
    expect(read([entry('one', { version: 'new' })])).to.throw('version');
    expect(read([entry('one')])().map(({ text }) => text)).to.deep.equal(['Text.']);
  });
});
