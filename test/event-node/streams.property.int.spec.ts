import { BACKWARDS, END, FORWARDS, START, type EventStoreDBClient } from '@eventstore/db-client';
import { expect } from 'chai';
import fc from 'fast-check';
import { counted, freshStream, numbersIn, span, useEventNode } from './node-under-test.ts';
import {
  append,
  emptyStream,
  read,
  setMetadata,
  softDelete,
  tombstone,
  type Expectation,
  type Outcome,
  type Reading,
  type StreamModel,
} from './stream-model.ts';

type Command = { which: number } & (
  | { kind: 'append'; expected: 'any' | 'no_stream' | 'stream_exists' | 'last' | 'off'; count: number }
  | { kind: 'repeat' }
  | { kind: 'delete' }
  | { kind: 'tombstone' }
  | { kind: 'limit'; maxCount: number }
  | { kind: 'truncate'; truncateBefore: number }
  | { kind: 'restart' }
  | ({ kind: 'read' } & Reading)
);

const which = fc.nat({ max: 1 });
const expectation = fc.constantFrom('any', 'no_stream', 'stream_exists', 'last', 'off');
const from = fc.oneof(fc.constant('edge' as const), fc.nat({ max: 12 }));
const appendCommand = fc.record({
  which,
  kind: fc.constant('append' as const),
  expected: expectation,
  count: fc.integer({ min: 1, max: 3 }),
});
const readCommand = fc.record({
  which,
  kind: fc.constant('read' as const),
  backwards: fc.boolean(),
  from,
  limit: fc.integer({ min: 1, max: 8 }),
});
const plain = <Kind extends string>(kind: Kind) => fc.record({ which, kind: fc.constant(kind) });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: appendCommand },
  { weight: 6, arbitrary: readCommand },
  { weight: 2, arbitrary: plain('repeat') },
  { weight: 2, arbitrary: plain('delete') },
  { weight: 1, arbitrary: plain('tombstone') },
  {
    weight: 1,
    arbitrary: fc.record({ which, kind: fc.constant('limit' as const), maxCount: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ which, kind: fc.constant('truncate' as const), truncateBefore: fc.nat({ max: 8 }) }),
  },
);

const outcomeOf = async (work: Promise<number[]>): Promise<Outcome> =>
  work.catch((error: unknown) => (error as { type: Exclude<Outcome, number[]> }).type);

type Batch = { expected: Expectation; events: ReturnType<typeof counted> };
type Subject = { name: string; model: StreamModel; batches: Batch[] };

const onWire = (expected: Expectation): 'any' | 'no_stream' | 'stream_exists' | bigint =>
  typeof expected === 'number' ? BigInt(expected) : expected;

describe('event node: any sequence of commands', () => {
  const part = useEventNode();
  let number = 0;

  const runAppend = async (client: EventStoreDBClient, subject: Subject, one: Command & { kind: 'append' }) => {
    const last = subject.model.numbers.length - 1;
    const expected: Expectation =
      one.expected === 'last' ? (last < 0 ? 'no_stream' : last) : one.expected === 'off' ? last + 1 : one.expected;
    const events = counted(one.count, number);
    const numbers = span(number, number + one.count - 1);
    number += one.count;
    const work = client.appendToStream(subject.name, events, { expectedRevision: onWire(expected) });
    const outcome = await outcomeOf(work.then(() => numbers));
    expect(outcome).to.deep.equal(append(subject.model, expected, numbers));
    // A stream that began again after its deletion is no longer where "no stream" says: a repetition there conflicts.
    const restarted = expected === 'no_stream' && last >= 0;
    if (Array.isArray(outcome) && !restarted) subject.batches.push({ expected, events });
  };
  const runRepeat = async (client: EventStoreDBClient, { name, model, batches }: Subject) => {
    const batch = batches.at(-1);
    if (batch === undefined) return;
    const work = client.appendToStream(name, batch.events, { expectedRevision: onWire(batch.expected) });
    const outcome = await outcomeOf(work.then(() => []));
    expect(outcome).to.deep.equal(model.tombstoned ? 'stream-deleted' : []);
  };
  const runRead = async (client: EventStoreDBClient, { name, model }: Subject, reading: Reading) => {
    const fromRevision = reading.from === 'edge' ? (reading.backwards ? END : START) : BigInt(reading.from);
    const direction = reading.backwards ? BACKWARDS : FORWARDS;
    const found = await outcomeOf(
      numbersIn(client.readStream(name, { direction, fromRevision, maxCount: reading.limit })),
    );
    expect(found).to.deep.equal(read(model, reading));
  };
  const run = async (subjects: readonly Subject[], one: Command): Promise<void> => {
    const client = part.client();
    const subject = subjects[one.which]!;
    const { name, model } = subject;
    const done = (work: Promise<unknown>): Promise<Outcome> => outcomeOf(work.then(() => []));
    switch (one.kind) {
      case 'append':
        return runAppend(client, subject, one);
      case 'repeat':
        return runRepeat(client, subject);
      case 'read':
        return runRead(client, subject, one);
      case 'delete':
        return void expect(await done(client.deleteStream(name))).to.deep.equal(softDelete(model));
      case 'tombstone':
        return void expect(await done(client.tombstoneStream(name))).to.deep.equal(tombstone(model));
      case 'limit':
      case 'truncate': {
        const metadata = one.kind === 'limit' ? { maxCount: one.maxCount } : { truncateBefore: one.truncateBefore };
        return void expect(await done(client.setStreamMetadata(name, metadata))).to.deep.equal(
          setMetadata(model, metadata),
        );
      }
      case 'restart':
        process.kill(part.node().pid, 'SIGKILL');
        await part.node().exited;
        return part.restart();
    }
  };
  const runAll = async (commands: readonly Command[]): Promise<void> => {
    const subjects = [0, 1].map(() => ({ name: freshStream('model'), model: emptyStream(), batches: [] }));
    for (const one of commands) await run(subjects, one);
    const everything: Reading = { backwards: false, from: 'edge', limit: 1000 };
    for (const subject of subjects) await runRead(part.client(), subject, everything);
  };

  it('does what the model does', async function () {
    this.timeout(60_000);
    const commands = fc.array(command, { minLength: 5, maxLength: 40 });
    await fc.assert(fc.asyncProperty(commands, runAll), { numRuns: 100, interruptAfterTimeLimit: 12_000 });
  });

  it('does so when it is killed in between', async function () {
    this.timeout(60_000);
    const pieces = fc.array(fc.array(command, { minLength: 10, maxLength: 20 }), { minLength: 2, maxLength: 3 });
    const withKills = pieces.map((lists) => lists.flatMap((list) => [...list, { which: 0, kind: 'restart' as const }]));
    await fc.assert(fc.asyncProperty(withKills, runAll), { numRuns: 2, interruptAfterTimeLimit: 12_000 });
  });
});
