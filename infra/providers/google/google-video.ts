import type { VideoRequest, VideoUpstream } from '../../../src/kernel/media-upstream.ts';
import { fileAsker, type FileAskerOptions } from './ask-about-file.ts';
import { LONGEST_ANSWER } from './model-traits.ts';

const bodyOf =
  ({ prompt, system, temperature, framesPerSecond }: VideoRequest) =>
  (part: object): object => ({
    contents: [{ role: 'user', parts: [{ ...part, videoMetadata: { fps: framesPerSecond } }, { text: prompt }] }],
    ...(system === undefined ? {} : { systemInstruction: { parts: [{ text: system }] } }),
    generationConfig: { temperature, maxOutputTokens: LONGEST_ANSWER },
  });

/** Films shown to Google's models. */
export const googleVideo = (options: FileAskerOptions): VideoUpstream => {
  const { ask, close } = fileAsker(options);
  return {
    provider: 'google',
    analyze: (request, call) => ask({ ...request, stream: false, body: bodyOf(request) }, call),
    close,
  };
};
