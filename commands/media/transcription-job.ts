import { resolveModel, type Resolved } from '../../src/kernel/catalogue.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { MediaFile, TranscriptionRequest, TranscriptionUpstream } from '../../src/kernel/media-upstream.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import { costOf } from '../../src/kernel/pricing.ts';
import type { Job } from '../completions/plan.ts';
import { numberOf, refuseWithoutCredit } from './media-checks.ts';
import { mediaJob, type MediaWork } from './media-job.ts';
import type { MediaDeps, MediaOrder } from './media-order.ts';
import { soundFileOf } from './sound-file.ts';
import { beginsLikeWebm, soundMilliseconds } from './sound-length.ts';
import { hintsOf, languageOf } from './speech-words.ts';

const TASK = 'voice_transcription';
/** What a second is charged as where the provider counts nothing. */
const TOKENS_A_SECOND = 10;
/** What a second comes to at most, for the hold. */
const HELD_A_SECOND: Readonly<Record<string, number>> = { google: 32 };
const SPOKEN_A_SECOND = 15;
/** Recordings of speech take no more: a file holds at least as many seconds as this makes of it, whatever was told. */
const MOST_BYTES_A_SECOND = 48_000;
const USUAL_PROMPT_BYTES = 100_000;
const KNOWN: ReadonlySet<string> = new Set(['openai', 'google']);

/** What is asked for, checked, without what only an admission knows. */
type Speech = Omit<TranscriptionRequest, 'requestId' | 'model' | 'affinity' | 'stream'> &
  Readonly<{ milliseconds: number }>;

const resolve = ({ catalogue }: MediaDeps, modelId: string): Resolved => {
  if (modelId === '') {
    throw new DomainError('validation_error', "the form names no model; send one in the field 'model'");
  }
  const resolved = resolveModel(catalogue(), modelId);
  if (resolved === undefined) {
    throw new DomainError('not_found', `there is no model '${modelId.slice(0, 100)}'; GET /api/models lists them`);
  }
  if (resolved.model.modelType !== 'transcription') {
    throw new DomainError('bad_request', `${modelId} does not turn speech into text; choose a model that does`);
  }
  return resolved;
};

const millisecondsOf = async (file: MediaFile, sent: string | undefined): Promise<number> => {
  const told = numberOf('durationMs', sent, 'validation_error') ?? 0;
  const milliseconds = told > 0 ? Math.round(told) : await soundMilliseconds(file);
  if (milliseconds > 0) return milliseconds;
  throw new DomainError('validation_error', 'the file holds no sound; send durationMs if it does');
};

const temperatureOf = (sent: string | undefined): number | undefined => {
  const value = numberOf('temperature', sent, 'validation_error');
  if (value === undefined) return undefined;
  if (value >= 0 && value <= 1) return Math.round(value * 1_000) / 1_000;
  throw new DomainError('validation_error', 'temperature must be within 0 and 1');
};

const speechOf = async ({ form }: MediaOrder, { model }: Resolved): Promise<Speech> => {
  const { texts } = form;
  const file = soundFileOf(form.file);
  const cap = model.capabilities['max_prompt_length'];
  const language = languageOf(texts['language']);
  const prompt = hintsOf(texts['prompt'], typeof cap === 'number' ? cap : USUAL_PROMPT_BYTES);
  const temperature = temperatureOf(texts['temperature']);
  const milliseconds = await millisecondsOf(file, texts['durationMs']);
  return {
    file,
    milliseconds,
    seconds: Math.ceil(milliseconds / 1_000),
    ...(language === undefined ? {} : { language }),
    ...(prompt === undefined ? {} : { prompt }),
    ...(temperature === undefined ? {} : { temperature }),
  };
};

const upstreamFor = (deps: MediaDeps, { model, provider }: Resolved): TranscriptionUpstream => {
  const upstream = deps.transcriptions(provider.code);
  if (upstream !== undefined) return upstream;
  if (!KNOWN.has(provider.code)) {
    throw new DomainError('bad_request', `${provider.code} turns no speech into text here; choose another model`);
  }
  throw new DomainError('configuration_error', `this server has no access to ${provider.code} for ${model.id}`);
};

const checkFile = async (upstream: TranscriptionUpstream, file: MediaFile): Promise<void> => {
  const { provider, mostBytes } = upstream;
  if (file.size > mostBytes) {
    throw new DomainError('payload_too_large', `${provider} takes files of at most ${mostBytes} bytes; send less`, {
      details: { max_bytes: mostBytes },
    });
  }
  // This provider answers with an error of its own making otherwise, which says nothing.
  if (provider === 'openai' && file.name.toLowerCase().endsWith('.webm') && !(await beginsLikeWebm(file))) {
    throw new DomainError('validation_error', 'the file is called .webm and is none');
  }
};

const estimateOf = ({ model, provider }: Resolved, seconds: number): MicroUsd =>
  costOf(
    {
      inputUncached: 0,
      inputCachedRead: 0,
      inputCacheWrite: 0,
      inputAudio: seconds * (HELD_A_SECOND[provider.code] ?? TOKENS_A_SECOND),
      outputVisible: seconds * SPOKEN_A_SECOND,
      outputReasoning: 0,
      source: 'counted',
      complete: true,
    },
    model.price,
  ).cost;

/** What is wrong is told in the order that clients know: the model, the credit, the parameters and the file, the provider. */
const admit = async (deps: MediaDeps, order: MediaOrder, requestId: string): Promise<MediaWork> => {
  const { userId, streamed, form } = order;
  const resolved = resolve(deps, (form.texts['model'] ?? '').trim());
  await refuseWithoutCredit(deps, userId, resolved.model.price);
  const { milliseconds, ...speech } = await speechOf(order, resolved);
  const upstream = upstreamFor(deps, resolved);
  await checkFile(upstream, speech.file);
  const request: TranscriptionRequest = {
    ...speech,
    requestId,
    model: resolved.upstreamModel,
    affinity: userId,
    stream: streamed,
  };
  return {
    resolved,
    promptTokens: Math.floor(milliseconds / 1_000) * TOKENS_A_SECOND,
    estimate: estimateOf(resolved, Math.max(speech.seconds, Math.ceil(speech.file.size / MOST_BYTES_A_SECOND))),
    call: (options) => upstream.transcribe(request, options),
  };
};

/**
 * Speech to be turned into text. Refused with `not_found`, `bad_request`, `credit_insufficient`, `validation_error`,
 * `payload_too_large`, `configuration_error`.
 */
export const transcriptionJob = (deps: MediaDeps, order: MediaOrder): Job =>
  mediaJob(deps, order, { kind: 'transcription', taskType: TASK }, (requestId) => admit(deps, order, requestId));
