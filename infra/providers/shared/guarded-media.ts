import type { TranscriptionUpstream, VideoUpstream } from '../../../src/kernel/media-upstream.ts';
import type { UpstreamGuard } from './upstream-guard.ts';

/** A provider's ear behind its guard. */
export const guardedTranscription = (upstream: TranscriptionUpstream, guard: UpstreamGuard): TranscriptionUpstream => ({
  ...upstream,
  transcribe: (request, options) => guard.stream(request, options, () => upstream.transcribe(request, options)),
});

/** A provider's eye behind its guard. */
export const guardedVideo = (upstream: VideoUpstream, guard: UpstreamGuard): VideoUpstream => ({
  ...upstream,
  analyze: (request, options) => guard.stream(request, options, () => upstream.analyze(request, options)),
});
