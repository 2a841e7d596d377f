import { Writable } from 'node:stream';
import type { ServerResponse } from 'node:http';
import { expect } from 'chai';
import type { Answering, CompletionSink, Ended } from '../../commands/completions/running-completion.ts';
import { streamAnswer } from '../../src/http/routes/llm/stream-answer.ts';
import { streamTranscript } from '../../src/http/routes/media/transcript-stream.ts';
import { v1Stream } from '../../src/http/routes/v1/v1-stream.ts';
import { fakeTimers } from './fake-timers.ts';

const ENDED: Ended = {
  how: 'completed',
  endedBy: 'provider',
  finish: 'stop',
  usage: undefined,
  charged: 0n,
  estimated: false,
  failure: undefined,
  fallbackAttempted: false,
};

/** A response that keeps what was written, without any network. */
const given = () => {
  let text = '';
  const response = Object.assign(
    new Writable({
      write: (piece: Buffer, _encoding, done) => {
        text += piece.toString();
        done();
      },
    }),
    {
      headersSent: false,
      writeHead: () => {
        response.headersSent = true;
        return response;
      },
    },
  );
  const sink = Promise.withResolvers<CompletionSink>();
  const end = Promise.withResolvers<Ended>();
  const answering: Answering = {
    requestId: '0b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f',
    modelId: 'sandbox/echo',
    deliver: (to) => {
      sink.resolve(to);
      return end.promise;
    },
  };
  return {
    answering,
    response: response as unknown as ServerResponse,
    /** What was written since it was asked last. */
    written: (): string => {
      const said = text;
      text = '';
      return said;
    },
    say: async (words: string): Promise<void> => void (await sink.promise).take([{ type: 'text', text: words }]),
    end: () => end.resolve(ENDED),
  };
};

const COMMENT = ': keep-alive\n\n';
const NOTHING = 'data: {"text":"","done":false}\n\n';

describe('a client that waits in silence', () => {
  let timers: ReturnType<typeof fakeTimers>;
  beforeEach(() => {
    timers = fakeTimers();
  });
  afterEach(() => timers.restore());

  const kinds: readonly (readonly [
    string,
    (answering: Answering, response: ServerResponse) => Promise<void>,
    string,
  ])[] = [
    ['the desktop', (answering, response) => streamAnswer(answering, { created: 1 }, response), COMMENT],
    [
      'a tool of OpenAI’s',
      (answering, response) => v1Stream(answering, { createdSeconds: 1, includeUsage: false }, response),
      COMMENT,
    ],
    ['a phone that is told a transcript', streamTranscript, NOTHING],
  ];
  for (const [who, stream, sign] of kinds) {
    it(`hears something every 15 seconds: ${who}`, async () => {
      const { answering, response, written, say, end } = given();
      const streaming = stream(answering, response);
      await say('one');
      expect(written()).to.contain('one');
      timers.pass(14_999);
      expect(written()).to.equal('');
      timers.pass(1);
      expect(written()).to.equal(sign);
      timers.pass(15_000);
      expect(written()).to.equal(sign);
      timers.pass(10_000);
      await say('two');
      // What comes at once after something else may be written together with more.
      timers.pass(10);
      expect(written()).to.contain('two');
      timers.pass(14_989);
      expect(written()).to.equal('');
      end();
      await streaming;
      written();
      timers.pass(60_000);
      expect(written()).to.equal('');
    });
  }
});
