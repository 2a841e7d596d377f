import type { Metered } from '../../src/events/credit-account/credit-account.events.ts';
import type { Price } from '../../src/kernel/catalogue.ts';
import { microText, type MicroUsd } from '../../src/kernel/money.ts';
import { costOf, ratesFor } from '../../src/kernel/pricing.ts';
import type { TokenCounter } from '../../src/kernel/tokens-estimate.ts';
import type { UpstreamEvent, UsageReport } from '../../src/kernel/upstream.ts';
import { completionTokens, promptTokens, type FinishReason, type Usage } from '../../src/kernel/usage.ts';

/** What an answer has used. `estimated` is true when the numbers are our own count. */
export type Reading = Readonly<{ metered: Metered; estimated: boolean }>;

/** Watches one answer and knows at any moment what it has cost. */
export type UsageMeter = Readonly<{
  take: (batch: readonly UpstreamEvent[]) => void;
  /** Why the provider said that it ended; undefined while it has not. */
  finish: () => FinishReason | undefined;
  /** The provider's id of the answer. */
  upstreamId: () => string | null;
  /** True once anything has been said. */
  hasOutput: () => boolean;
  /** Counts what was said since the last count. */
  count: () => Promise<void>;
  /** True when the answer might have used the budget; counting makes it exact. */
  mayExceed: () => boolean;
  /** Sets the money that the answer may cost before `mayExceed` turns true. */
  budget: (amount: MicroUsd) => void;
  /** What is known now. Call `count` first for a reading that covers all that was said. */
  read: () => Reading;
  /** What the provider's own later word comes to. */
  priced: (report: UsageReport) => Reading;
  /** Forgets an attempt that failed before it had said anything. */
  restart: () => void;
}>;

/** Text that waits to be counted takes memory. */
const MOST_WAITING = 256 * 1024;
/** Of English, by and large. */
const CHARS_PER_TOKEN = 4;

const NOTHING: Usage = {
  inputUncached: 0,
  inputCachedRead: 0,
  inputCacheWrite: 0,
  outputVisible: 0,
  outputReasoning: 0,
  source: 'counted',
  complete: false,
};

const metered = (usage: Usage, rawUsage: unknown, price: Price): Metered => {
  const { lines, pico, cost } = costOf(usage, price);
  return {
    usage,
    rawUsage,
    lines: lines.map(({ class: name, tokens, rate, cost: line }) => ({
      class: name,
      tokens,
      ratePico: rate.toString(),
      costPico: line.toString(),
    })),
    costPico: pico.toString(),
    cost: microText(cost),
  };
};

/** A meter for an answer to a prompt of `prompt` tokens by our own count. */
export const usageMeter = (price: Price, prompt: number, counter: TokenCounter): UsageMeter => {
  let waiting: string[] = [];
  let waitingChars = 0;
  let visible = 0;
  let upstreamId: string | null = null;
  let finish: FinishReason | undefined;
  let output = false;
  let searches = 0;
  let reported: Usage | undefined;
  let rawUsage: unknown = null;
  /** Output tokens that the budget pays for. */
  let allowed = Infinity;
  /** Counts that are under way, one after the other. */
  let counting: Promise<void> = Promise.resolve();

  const say = (text: string): void => {
    output = true;
    waiting.push(text);
    waitingChars += text.length;
  };

  const takeOne = (event: UpstreamEvent): void => {
    switch (event.type) {
      case 'text':
      case 'refusal':
      case 'reasoning':
        return say(event.text);
      case 'toolCall':
        return say(event.name === undefined ? event.arguments : `${event.name} ${event.arguments}`);
      case 'search':
        searches += 1;
        return;
      case 'thought':
        // What it says has been counted as reasoning, but it has been handed on.
        output = true;
        return;
      case 'started':
        upstreamId = event.upstreamId;
        return;
      case 'usage':
        reported = event.usage;
        rawUsage = event.raw;
        return;
      case 'finish':
        finish = event.reason;
    }
  };

  /** A block that says that an answer has no tokens is not its last word; one of zeros alone is no usage. */
  const believed = (): Usage | undefined => {
    if (reported === undefined || !output || completionTokens(reported) > 0) return reported;
    if (promptTokens(reported) === 0) return undefined;
    return reported.source === 'final' ? { ...reported, source: 'early' } : reported;
  };

  /** What was said is charged also when it cannot be counted now. */
  const tokensOf = async (text: string): Promise<number> => {
    try {
      return await counter.count(text);
    } catch {
      return Math.ceil(text.length / CHARS_PER_TOKEN);
    }
  };

  const countWaiting = async (): Promise<void> => {
    // Our own count is for answers that the provider does not count, or has not counted yet.
    if (waiting.length === 0 || believed()?.source === 'final') return;
    const text = waiting.join('');
    waiting = [];
    visible += await tokensOf(text);
    // Until here the characters stood for their tokens, so that no reading was too low.
    waitingChars -= text.length;
  };

  /** What the provider says by and by: thoughts that are not shown are in nobody's count but its own. */
  const toldSoFar = (): number => (reported?.source === 'early' ? completionTokens(reported) : 0);

  const counted = (early: Usage | undefined): Usage => {
    const known = early ?? { ...NOTHING, inputUncached: prompt };
    const webSearches = Math.max(known.webSearches ?? 0, searches);
    return {
      ...known,
      ...(webSearches === 0 ? {} : { webSearches }),
      // Thoughts that were not shown are known to the provider alone; what was shown of them is in our count as well.
      outputVisible: Math.max(known.outputVisible, visible - known.outputReasoning),
      complete: finish !== undefined,
    };
  };

  return {
    take: (batch) => {
      for (const event of batch) takeOne(event);
    },
    finish: () => finish,
    upstreamId: () => upstreamId,
    hasOutput: () => output,
    count: () => {
      counting = counting.then(countWaiting);
      return counting;
    },
    mayExceed: () => Math.max(visible + waitingChars, toldSoFar()) > allowed || waitingChars > MOST_WAITING,
    budget: (amount) => {
      const { input, output: rate } = ratesFor(price, prompt);
      // A character is rarely more than a token, and this only decides when to count.
      const left = amount * 1_000_000n - BigInt(prompt) * input;
      allowed = rate === 0n ? Infinity : Math.max(0, Number(left / rate));
    },
    read: () => {
      const known = believed();
      if (known?.source === 'final') {
        const usage = { ...known, complete: known.complete && finish !== undefined };
        return { metered: metered(usage, rawUsage, price), estimated: false };
      }
      return { metered: metered(counted(known), rawUsage, price), estimated: true };
    },
    priced: ({ usage, raw }) => ({ metered: metered(usage, raw, price), estimated: false }),
    restart: () => {
      upstreamId = null;
      finish = undefined;
      searches = 0;
      reported = undefined;
      rawUsage = null;
    },
  };
};
