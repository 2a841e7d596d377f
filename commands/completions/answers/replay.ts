import type { AnswerLog } from '../../../src/kernel/answer-log.ts';
import type { CompletionEnded } from '../../../src/events/completion/completion.events.ts';
import { DomainError } from '../../../src/kernel/errors.ts';
import { microOf, usdText } from '../../../src/kernel/money.ts';
import { brokenOff, readEnd, retold } from './ended-text.ts';
import type { Live } from './live.ts';
import { presence } from './presence.ts';
import { recording, type Recording } from './recording.ts';

type Found = Readonly<{ head: Readonly<{ userId: string; modelId: string; startedAt: string }>; recording: Recording }>;

/** All that the log has of an answer; undefined when it has nothing. The end is there when it was kept. */
export const wholeAnswer = async (log: AnswerLog, requestId: string): Promise<Found | undefined> => {
  const kept = recording(Number.POSITIVE_INFINITY);
  for (;;) {
    const page = await log.read(requestId, kept.position());
    if (page === undefined) return undefined;
    kept.add(page.events);
    if (page.over !== undefined) kept.finish(retold(requestId, readEnd(page.over)));
    if (page.over !== undefined || page.events.length === 0) return { head: page.head, recording: kept };
  }
};

const NOBODY_CARES_MS = 1_000;

/** An answer that is over, for its readers. */
export const overLive = (requestId: string, { head, recording: kept }: Found): Live => ({
  requestId,
  userId: head.userId,
  modelId: head.modelId,
  startedAt: new Date(head.startedAt),
  recording: kept,
  presence: presence(NOBODY_CARES_MS, () => undefined),
  opened: Promise.resolve(),
  over: Promise.resolve(),
});

const noLongerKept = ({ requestId, charged }: CompletionEnded['data']): DomainError => {
  const chargedUsd = usdText(microOf(charged ?? '0'));
  return new DomainError(
    'already_exists',
    `this idempotency key was used and ${chargedUsd} USD were charged, but the answer is no longer kept; to have it ` +
      'made anew, send the request with another key',
    { details: { requestId, chargedUsd } },
  );
};

/** The answer of a key that was charged. Throws DomainError `already_exists` when it is not there any more, or not whole. */
export const replay = async (log: AnswerLog, ended: CompletionEnded['data']): Promise<Live> => {
  const { requestId, finish, how } = ended;
  const found = await wholeAnswer(log, requestId);
  if (found === undefined) throw noLongerKept(ended);
  if (found.recording.ended() === undefined) {
    if (how === 'completed') throw noLongerKept(ended);
    const charged = microOf(ended.charged ?? '0');
    const broken = { how: 'failed', endedBy: 'sweeper', usage: undefined, fallbackAttempted: false } as const;
    const failure = brokenOff(requestId, charged);
    found.recording.finish({ ...broken, finish, charged, estimated: true, failure });
  }
  return overLive(requestId, found);
};
