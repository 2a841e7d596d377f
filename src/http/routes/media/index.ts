import type { Endpoint } from '../../endpoint.ts';
import { analyzeVideo } from './analyze-video.ts';
import type { MediaRoutes } from './media-run.ts';
import { transcribe, transcribePiecewise } from './transcribe.ts';

/** Everything that takes sound and film. */
export const mediaEndpoints = (deps: MediaRoutes): readonly Endpoint[] => [
  transcribe(deps),
  transcribePiecewise(deps),
  analyzeVideo(deps),
];
