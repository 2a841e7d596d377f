import { expect } from 'chai';
import { isUpstreamError, type ChatUpstream, type UpstreamFailure } from '../../src/kernel/upstream.ts';
import { casesOf, haveRecordings, type RecordedCase } from './recorded-cases.ts';
import { replay, thenAsRecorded } from './replay.ts';
import {
  byteByByte,
  randomly,
  replayingUpstream,
  whole,
  type Asked,
  type Replay,
  type ReplayingUpstream,
} from './replaying-upstream.ts';

const cuts = {
  whole,
  'in random pieces': randomly(7),
  'in other random pieces': randomly(99),
  'byte by byte': byteByByte,
};

/** A provider whose cases are replayed. */
export type ReplaySuite = Readonly<{
  /** The name of its recordings. */
  surface: string;
  make: (baseUrl: string) => ChatUpstream;
  /** How many cases are recorded, to say so when they are not here. */
  recorded: number;
  /** Only these cases. */
  only?: (recorded: RecordedCase) => boolean;
  /** What failures come to, by the case's name. */
  failures: Readonly<Record<string, UpstreamFailure>>;
  /** The answer to a call; the case itself when absent. */
  answer?: (recorded: RecordedCase, asked: Asked) => Replay;
}>;

/** Sends every case of a provider through its adapter over HTTP, cut in four ways. */
export const replaySuite = (suite: ReplaySuite): void => {
  const { surface, failures, answer, only = () => true } = suite;
  let server: ReplayingUpstream;
  let upstream: ChatUpstream;

  before(async () => {
    server = await replayingUpstream();
    upstream = suite.make(server.url);
  });
  after(async () => {
    await upstream.close();
    await server.stop();
    if (!haveRecordings) console.log(`    the recordings are not here: ${suite.recorded} of ${surface} did not run`);
  });

  for (const recorded of casesOf(surface).filter(only)) {
    for (const [how, cut] of Object.entries(cuts)) {
      it(`reads ${recorded.name}, sent ${how}`, async () => {
        server.answer(answer === undefined ? recorded : (asked) => answer(recorded, asked), cut);
        const replayed = await replay(upstream, recorded.streaming);
        thenAsRecorded(recorded, replayed);
        const kind = isUpstreamError(replayed.failure) ? replayed.failure.kind : undefined;
        expect(kind).to.equal(failures[recorded.name]);
      });
    }
  }
};
