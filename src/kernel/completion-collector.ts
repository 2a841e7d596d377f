import type { Completion, Thought, UpstreamEvent } from './upstream.ts';
import type { FinishReason, Usage } from './usage.ts';

type Call = { id: string; name: string; arguments: string; signature?: string };

/** Adds the events of an answer up to the whole. */
export const completionCollector = () => {
  const calls: Call[] = [];
  const thoughts: Thought[] = [];
  const texts = { text: '', refusal: '', reasoning: '' };
  let started = { upstreamId: '', model: '' };
  let usage: Usage | undefined;
  let rawUsage: unknown = null;
  let finish: Readonly<{ reason: FinishReason; native: string }> = { reason: 'stop', native: '' };

  const takeCall = ({
    index,
    id,
    name,
    arguments: args,
    signature,
  }: Extract<UpstreamEvent, { type: 'toolCall' }>): void => {
    const call = (calls[index] ??= { id: '', name: '', arguments: '' });
    call.id ||= id ?? '';
    call.name ||= name ?? '';
    call.arguments += args;
    if (signature !== undefined) call.signature = signature;
  };

  const take = (event: UpstreamEvent): void => {
    switch (event.type) {
      case 'started':
        started = { upstreamId: event.upstreamId, model: event.model };
        return;
      case 'text':
      case 'refusal':
      case 'reasoning':
        texts[event.type] += event.text;
        return;
      case 'toolCall':
        takeCall(event);
        return;
      case 'thought':
        thoughts.push(event.thought);
        return;
      case 'search':
        return;
      case 'usage':
        ({ usage, raw: rawUsage } = event);
        return;
      case 'finish':
        finish = { reason: event.reason, native: event.native };
    }
  };

  const whole = (): Completion => ({
    ...started,
    ...texts,
    thoughts,
    // A provider may leave gaps in its numbering.
    toolCalls: calls.filter((call) => call as Call | undefined),
    usage,
    rawUsage,
    finish: finish.reason,
    native: finish.native,
  });

  return { take, whole };
};
