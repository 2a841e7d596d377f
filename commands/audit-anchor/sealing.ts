import {
  AUDIT_ANCHOR_ID,
  isSealable,
  type AuditAnchorEvent,
} from '../../src/events/audit-anchor/audit-anchor.events.ts';
import { isoOf, type Clock } from '../../src/kernel/clock.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import { later, type EventStore, type Position, type StoredEvent } from '../../src/kernel/event-store.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import { merkleRoot } from '../../src/kernel/merkle.ts';
import { leafOf, placeOf, placeText, type SealSigner } from '../../src/kernel/seal.ts';
import type { SealBatch } from './audit-anchor.commands.ts';
import type { AuditAnchor } from './audit-anchor.decider.ts';

export type SealingDeps = Readonly<{
  anchors: CommandHandler<AuditAnchor, SealBatch, AuditAnchorEvent>;
  store: Pick<EventStore, 'readAll'>;
  signer: SealSigner;
  clock: Clock;
  newId: () => string;
  /** Aborts when no further batch is to be begun. */
  stopping: AbortSignal;
  logger: Logger;
}>;

/** The most events of a batch: a proof of one of them is ten hashes. */
const BATCH = 1_000;
/** A log that has never been sealed is so in steps. */
const MOST_BATCHES = 100;
/** An event waits for others for so long, in milliseconds. */
const WAIT_MS = 60_000;

/**
 * Seals the log as far as it goes, a hundred batches at the most: of a thousand events each, and what has waited for a
 * minute. May be called at any time, on several instances at once: of two seals of one batch, one is kept.
 */
export const sealing = ({
  anchors,
  store,
  signer,
  clock,
  newId,
  stopping,
  logger,
}: SealingDeps): (() => Promise<void>) => {
  /** There is nothing to seal up to here. */
  let looked: Position | undefined;

  /** The events of the next batch, or fewer when the log ends before. */
  const eventsAfter = async (place: Position | undefined): Promise<readonly StoredEvent[]> => {
    const events: StoredEvent[] = [];
    let from = later(place, looked);
    for (;;) {
      const page = await store.readAll({ ...(from === undefined ? {} : { from }), maxCount: BATCH });
      events.push(...page.filter(isSealable));
      from = page.at(-1)?.position ?? from;
      if (events.length === 0) looked = from;
      if (events.length >= BATCH || page.length < BATCH) return events.slice(0, BATCH);
    }
  };

  const isDue = (events: readonly StoredEvent[]): boolean => {
    const [oldest] = events;
    if (oldest === undefined) return false;
    return events.length === BATCH || clock().getTime() - oldest.created.getTime() >= WAIT_MS;
  };

  /** Answers whether there may be more to seal. */
  const sealNext = async (): Promise<boolean> => {
    const { last } = await anchors.state(AUDIT_ANCHOR_ID);
    const events = await eventsAfter(last === null ? undefined : placeOf(last.to));
    const newest = events.at(-1);
    if (newest === undefined || !isDue(events)) return false;
    const at = isoOf(clock());
    const data = signer.seal({
      number: (last?.number ?? 0) + 1,
      from: last?.to ?? null,
      to: placeText(newest.position),
      count: events.length,
      merkleRoot: merkleRoot(events.map(leafOf)),
      prevRoot: last?.merkleRoot ?? '',
      sealedAt: at,
    });
    const id = newId();
    const cause = { at, correlationId: id, causationId: id, actor: { kind: 'job', id: 'seal-log' } } as const;
    const key = `seal:${data.number}:${id}`;
    const { events: said } = await anchors.handle(AUDIT_ANCHOR_ID, { type: 'SealBatch', key, data }, cause);
    if (said.length > 0) logger.debug({ number: data.number, events: data.count }, 'a part of the log is sealed');
    return true;
  };

  return async () => {
    for (let batch = 0; batch < MOST_BATCHES && !stopping.aborted && (await sealNext()); batch += 1);
  };
};
