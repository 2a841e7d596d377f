import {
  UpstreamError,
  type ChatUpstream,
  type UpstreamEvent,
  type UpstreamFailure,
  type UpstreamRequest,
} from '../../src/kernel/upstream.ts';
import type { Usage } from '../../src/kernel/usage.ts';

/** One step of a scripted answer. */
export type Step =
  | UpstreamEvent
  /** One batch. */
  | readonly UpstreamEvent[]
  | Readonly<{ fail: UpstreamFailure }>
  /** Runs a hook, then goes on. */
  | Readonly<{ run: () => Promise<void> | void }>
  /** Says nothing more until the call is aborted. */
  | 'silence';

export const text = (words: string): UpstreamEvent => ({ type: 'text', text: words });

export const started: UpstreamEvent = { type: 'started', upstreamId: 'resp_1', model: 'echo-1' };

export const finished: UpstreamEvent = { type: 'finish', reason: 'stop', native: 'stop' };

export const used = (input: number, output: number, over: Partial<Usage> = {}): UpstreamEvent => ({
  type: 'usage',
  usage: {
    inputUncached: input,
    inputCachedRead: 0,
    inputCacheWrite: 0,
    outputVisible: output,
    outputReasoning: 0,
    source: 'final',
    complete: true,
    ...over,
  },
  raw: { prompt_tokens: input, completion_tokens: output },
});

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    const stop = (): void => reject(new UpstreamError({ provider: 'sandbox', kind: 'aborted' }));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
  });

export type ScriptedUpstream = ChatUpstream &
  Readonly<{ calls: readonly UpstreamRequest[]; aborts: () => number; refuse: (kind: UpstreamFailure) => void }>;

const isBatch = (step: Step): step is readonly UpstreamEvent[] => Array.isArray(step);

/** A provider that follows a script: one batch a step. `accept` holds the head of the answer back. */
export const scriptedUpstream = (
  script: readonly Step[],
  accept: Promise<void> = Promise.resolve(),
): ScriptedUpstream => {
  const calls: UpstreamRequest[] = [];
  let aborts = 0;
  let refusal: UpstreamFailure | undefined;

  const play = async function* (signal: AbortSignal): AsyncGenerator<readonly UpstreamEvent[], undefined> {
    for (const step of script) {
      if (signal.aborted) throw new UpstreamError({ provider: 'sandbox', kind: 'aborted' });
      if (step === 'silence') await aborted(signal);
      else if (isBatch(step)) yield step;
      else if ('fail' in step) throw new UpstreamError({ provider: 'sandbox', kind: step.fail });
      else if ('run' in step) await step.run();
      else yield [step];
    }
    return undefined;
  };

  return {
    provider: 'sandbox',
    calls,
    aborts: () => aborts,
    refuse: (kind) => {
      refusal = kind;
    },
    stream: async (request, { signal }) => {
      calls.push(request);
      signal.addEventListener('abort', () => {
        aborts += 1;
      });
      if (refusal !== undefined) {
        const status = refusal === 'invalid_request' ? 400 : 500;
        throw new UpstreamError({ provider: 'sandbox', kind: refusal, status });
      }
      await Promise.race([accept, aborted(signal)]);
      return play(signal);
    },
    complete: () => Promise.reject(new Error('not scripted')),
    close: () => Promise.resolve(),
  };
};
