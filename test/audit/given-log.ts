import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { auditAnchorAggregate } from '../../commands/audit-anchor/index.ts';
import { sealing } from '../../commands/audit-anchor/sealing.ts';
import { sealSigner } from '../../infra/audit/seal-signer.ts';
import { AUDIT_ANCHOR } from '../../src/events/audit-anchor/audit-anchor.events.ts';
import { hashOf } from '../../src/kernel/chain.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { eventIdOf } from '../../src/kernel/ids.ts';
import type { EventMetadata } from '../../src/kernel/message.ts';
import { memoryEventStore, type MemoryEventStore } from '../support/memory-event-store.ts';
import { memoryLogger } from '../support/memory-logger.ts';

export const SEED = '11'.repeat(32);
export const OTHER_SEED = '22'.repeat(32);
const START = Date.parse('2026-11-23T10:00:00.000Z');

/** A log with a clock that stands still until it is moved, and ways to write into it and to seal it. */
export const givenLog = () => {
  let now = START;
  const clock = (): Date => new Date(now);
  const store = memoryEventStore(clock);
  const ends = new Map<string, Readonly<{ revision: bigint; hash: string }>>();

  /** Writes an event with the link to the one before it, as command handlers do. */
  const write = async (stream: string, data: unknown = {}): Promise<void> => {
    const { revision, hash: prevHash } = ends.get(stream) ?? { revision: -1n, hash: '' };
    const next = revision + 1n;
    const id = eventIdOf(stream, next.toString(), 0);
    const metadata = {
      $correlationId: id,
      $causationId: id,
      schemaVersion: 1,
      occurredAt: clock().toISOString(),
      idempotencyKey: next.toString(),
      actor: { kind: 'user', id: 'ada' },
      prevHash,
    } as const satisfies Omit<EventMetadata, 'hash'>;
    const hash = hashOf({ stream, revision: next, type: 'Written', id, data, metadata });
    await store.append(stream, revision, [{ id, type: 'Written', data, metadata: { ...metadata, hash } }]);
    ends.set(stream, { revision: next, hash });
  };

  /** One instance's way to seal. */
  const sealer = (seed = SEED, over: MemoryEventStore = store): (() => Promise<void>) => {
    const { logger } = memoryLogger();
    const pause = (milliseconds: number): Promise<void> => wait(Math.min(milliseconds, 5));
    const anchors = commandHandler(auditAnchorAggregate, { store: over, logger, pause });
    return sealing({
      anchors,
      store: over,
      signer: sealSigner(seed),
      clock,
      newId: randomUUID,
      stopping: new AbortController().signal,
      logger,
    });
  };

  return {
    store,
    write,
    writeMany: async (count: number, stream = 'user-ada'): Promise<void> => {
      for (let n = 0; n < count; n += 1) await write(stream, { n });
    },
    sealer,
    seal: sealer(),
    passes: (milliseconds: number): void => {
      now += milliseconds;
    },
    seals: () =>
      store
        .log()
        .filter(({ stream }) => stream.startsWith(`${AUDIT_ANCHOR}-`))
        .map(({ data }) => data as Readonly<{ number: number; count: number; keyId: string; prevRoot: string }>),
  };
};

export type GivenLog = ReturnType<typeof givenLog>;
