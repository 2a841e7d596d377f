import type { UpstreamRequest } from '../../../src/kernel/upstream.ts';
import type { Surface } from './chat-upstream.ts';
import type { Codec } from './codec.ts';
import type { Refused } from './read-json.ts';

const NO_SUCH_ROUTE: ReadonlySet<number | undefined> = new Set([404, 405, 501]);

/** How a provider with two languages is spoken to. */
export type TwoLanguages = Readonly<{
  usual: Codec;
  other: Codec;
  /** Whether a request must, or had rather, be said in the other language. */
  needsOther: (request: UpstreamRequest) => 'must' | 'rather' | 'no';
  /** True for a refusal with a missing route's status that is about something else. */
  isAboutRequest: (refused: Refused) => boolean;
}>;

/**
 * The usual language, and the other one for requests that need it; for all that can do without from when a server shows
 * that it knows only one of them.
 */
export const twoLanguages = ({ usual, other, needsOther, isAboutRequest }: TwoLanguages): Surface => {
  /** Refused as a route, which is certain only when the other route is then taken. */
  const doubted = new Set<Codec>();
  const missing = new Set<Codec>();
  const instead = (codec: Codec): Codec => (codec === usual ? other : usual);

  const codecFor = (request: UpstreamRequest): Codec => {
    const need = needsOther(request);
    const wanted = need === 'no' ? usual : other;
    return need !== 'must' && missing.has(wanted) ? instead(wanted) : wanted;
  };

  return {
    codec: codecFor,
    insteadOf: (codec, refused, request) => {
      if (!NO_SUCH_ROUTE.has(refused.error.status) || isAboutRequest(refused)) return undefined;
      doubted.add(codec);
      return needsOther(request) === 'must' ? undefined : instead(codec);
    },
    understood: (codec) => {
      doubted.delete(codec);
      missing.delete(codec);
      if (doubted.has(instead(codec))) missing.add(instead(codec));
    },
  };
};
