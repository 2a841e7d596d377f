import { resolveModel, type Resolved } from '../../src/kernel/catalogue.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { MediaFile, VideoRequest, VideoUpstream } from '../../src/kernel/media-upstream.ts';
import { costOf } from '../../src/kernel/pricing.ts';
import type { Job } from '../completions/plan.ts';
import { numberOf, refuseWithoutCredit, textOf } from './media-checks.ts';
import { mediaJob, type MediaWork } from './media-job.ts';
import type { MediaDeps, MediaOrder } from './media-order.ts';

const TASK = 'video_analysis';
const USUAL_MODEL = 'google/gemini-2.5-pro';
const USUAL_TEMPERATURE = 0.4;
const USUAL_TYPE = 'video/mp4';
/** What a second with one picture comes to. */
const TOKENS_A_SECOND = 300;
const MOST_FRAMES = 24;

const TYPES: ReadonlySet<string> = new Set([
  'video/mp4',
  'video/mpeg',
  'video/mov',
  'video/quicktime',
  'video/avi',
  'video/x-flv',
  'video/mpg',
  'video/webm',
  'video/wmv',
  'video/3gpp',
]);

type Question = Omit<VideoRequest, 'requestId' | 'model' | 'affinity'> & Readonly<{ milliseconds: number }>;

const invalid = (detail: string): never => {
  throw new DomainError('invalid_argument', detail);
};

const filmOf = (file: MediaFile | undefined): MediaFile => {
  if (file === undefined) return invalid("the form has no film; send it in the field 'video'");
  if (file.size === 0) invalid('the film is empty');
  const type = (file.mediaType.split(';')[0] ?? '').trim().toLowerCase();
  return { ...file, mediaType: TYPES.has(type) ? type : USUAL_TYPE };
};

const within = (field: string, sent: string | undefined, usual: number, least: number, most: number): number => {
  const value = numberOf(field, sent, 'invalid_argument') ?? usual;
  return value >= least && value <= most ? value : invalid(`${field} must be within ${least} and ${most}`);
};

const framesOf = (sent: string | undefined): number => {
  const frames = within('framerate', sent, 1, 1, MOST_FRAMES);
  return Number.isInteger(frames) ? frames : invalid('framerate must be a whole number');
};

const questionOf = ({ form: { file, texts } }: MediaOrder): Question => {
  const film = filmOf(file);
  const prompt = textOf(texts['prompt']) ?? invalid("say what to look for in the field 'prompt'");
  const milliseconds = Math.round(numberOf('durationMs', texts['durationMs'], 'invalid_argument') ?? 0);
  if (milliseconds <= 0) invalid('durationMs must say how long the film is, in milliseconds');
  const system = textOf(texts['systemPrompt']);
  return {
    file: film,
    prompt,
    milliseconds,
    temperature: within('temperature', texts['temperature'], USUAL_TEMPERATURE, 0, 2),
    framesPerSecond: framesOf(texts['framerate']),
    ...(system === undefined ? {} : { system }),
  };
};

const resolve = ({ catalogue }: MediaDeps, modelId: string): Resolved => {
  const resolved = resolveModel(catalogue(), modelId);
  const isGoogles = /^google\/[^/]+$/.test(modelId) && resolved?.provider.code === 'google';
  if (resolved === undefined || !isGoogles || resolved.model.modelType === 'transcription') {
    throw new DomainError(
      'bad_request',
      `'${modelId.slice(0, 100)}' does not look at films; choose a model of Google's`,
    );
  }
  return resolved;
};

const upstreamFor = (deps: MediaDeps, { provider }: Resolved): VideoUpstream => {
  const upstream = deps.videos(provider.code);
  if (upstream !== undefined) return upstream;
  throw new DomainError('configuration_error', `this server has no access to ${provider.code}`);
};

const admit = async (deps: MediaDeps, order: MediaOrder, requestId: string): Promise<MediaWork> => {
  const { userId, form } = order;
  const { milliseconds, ...question } = questionOf(order);
  const resolved = resolve(deps, textOf(form.texts['model']) ?? USUAL_MODEL);
  const { price } = resolved.model;
  await refuseWithoutCredit(deps, userId, price);
  const upstream = upstreamFor(deps, resolved);
  const request: VideoRequest = { ...question, requestId, model: resolved.upstreamModel, affinity: userId };
  const nothing = { inputCachedRead: 0, inputCacheWrite: 0, outputVisible: 0, outputReasoning: 0 };
  const held = Math.ceil(milliseconds / 1_000) * TOKENS_A_SECOND * question.framesPerSecond;
  return {
    resolved,
    promptTokens: Math.floor(milliseconds / 1_000) * TOKENS_A_SECOND,
    estimate: costOf({ ...nothing, inputUncached: held, source: 'counted', complete: true }, price).cost,
    call: (options) => upstream.analyze(request, options),
  };
};

/**
 * A question about a film. Refused with `invalid_argument`, `bad_request`, `credit_insufficient`,
 * `configuration_error`.
 */
export const videoJob = (deps: MediaDeps, order: MediaOrder): Job =>
  mediaJob(deps, order, { kind: 'video', taskType: TASK }, (requestId) => admit(deps, order, requestId));
