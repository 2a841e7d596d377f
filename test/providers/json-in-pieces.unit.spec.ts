import { expect } from 'chai';
import { messagesCodec } from '../../infra/providers/anthropic/messages-codec.ts';
import { generateCodec } from '../../infra/providers/google/generate-codec.ts';
import { openAiChatCodec } from '../../infra/providers/openai/chat-codec.ts';
import { responsesCodec } from '../../infra/providers/openai/responses-codec.ts';
import { openRouterChatCodec } from '../../infra/providers/openrouter/openrouter-codecs.ts';
import { jsonInPieces } from '../../infra/providers/shared/json-in-pieces.ts';
import { xaiChatCodec } from '../../infra/providers/xai/xai-codecs.ts';
import type { Part, UpstreamRequest } from '../../src/kernel/upstream.ts';
import { request } from './replay.ts';
import { called, result, say, text } from './requests.ts';

const codecs = {
  messages: messagesCodec,
  generate: generateCodec,
  responses: responsesCodec,
  'OpenAI’s chat': openAiChatCodec,
  'OpenRouter’s chat': openRouterChatCodec,
  'xAI’s chat': xaiChatCodec,
};

const image = (data: string): Part => ({ type: 'image', source: { kind: 'base64', mediaType: 'image/png', data } });
const paper = (data: string): Part => ({
  type: 'document',
  source: { kind: 'base64', mediaType: 'application/pdf', data },
  fileName: 'plan.pdf',
});

const withMedia = (...sizes: readonly number[]): UpstreamRequest =>
  request({
    model: 'm',
    messages: [
      say('system', text('Be brief. 世界')),
      say('user', text('first'), ...sizes.map((size, index) => image('ABCD'[index % 4]!.repeat(size)))),
      called,
      result,
      say('user', paper('QUJD'.repeat(8_000)), image('QUJD'), text('👋')),
    ],
  });

describe('the JSON of a request with large media', () => {
  for (const [name, { encode }] of Object.entries(codecs)) {
    it(`is the same in pieces, in the words of ${name}`, async () => {
      const asked = withMedia(700_000, 20_000, 300_000, 16_384);
      const body = jsonInPieces(asked, (written) => encode(written, true));
      if (typeof body === 'string') return expect.fail('it is in one piece');
      const pieces: Uint8Array[] = [];
      for await (const piece of body.bytes) pieces.push(piece);
      const whole = Buffer.concat(pieces);
      expect(whole.length).to.equal(body.length);
      expect(whole.toString() === JSON.stringify(encode(asked, true))).to.equal(true);
      expect(Math.max(...pieces.map(({ length }) => length))).to.be.at.most(256 * 1024);
      return undefined;
    });
  }

  it('is one text when there is little of them', () => {
    const asked = withMedia(500_000);
    const body = jsonInPieces(asked, (written) => messagesCodec.encode(written, true));
    expect(body).to.equal(JSON.stringify(messagesCodec.encode(asked, true)));
  });
});
