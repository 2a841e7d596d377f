import { openAiUpstream } from '../../infra/providers/openai/openai-upstream.ts';
import { sandboxUpstream } from '../../infra/providers/sandbox/sandbox-upstream.ts';
import type { ChatUpstream } from '../../src/kernel/upstream.ts';
import { casesOf, haveRecordings } from './recorded-cases.ts';
import { replay, thenAsRecorded } from './replay.ts';
import { byteByByte, randomly, replayingUpstream, whole, type ReplayingUpstream } from './replaying-upstream.ts';

const cuts = {
  whole,
  'in random pieces': randomly(7),
  'in other random pieces': randomly(99),
  'byte by byte': byteByByte,
};

const surfaces = { 'openai-responses': openAiUpstream, 'openai-chat': sandboxUpstream };

describe('recorded OpenAI traffic', () => {
  let server: ReplayingUpstream;
  const upstreams: Record<string, ChatUpstream> = {};

  before(async () => {
    server = await replayingUpstream();
    for (const [surface, make] of Object.entries(surfaces)) {
      upstreams[surface] = make({ baseUrl: server.url, apiKey: 'test', clock: () => new Date(0) });
    }
  });
  after(async () => {
    await Promise.all(Object.values(upstreams).map((upstream) => upstream.close()));
    await server.stop();
    if (!haveRecordings) console.log('    the recordings are not on this machine: 35 recorded cases did not run');
  });

  for (const surface of Object.keys(surfaces)) {
    describe(surface, () => {
      for (const recorded of casesOf(surface)) {
        for (const [how, cut] of Object.entries(cuts)) {
          it(`reads ${recorded.name}, sent ${how}`, async () => {
            server.answer(recorded, cut);
            thenAsRecorded(recorded, await replay(upstreams[surface]!, recorded.streaming));
          });
        }
      }
    });
  }
});
