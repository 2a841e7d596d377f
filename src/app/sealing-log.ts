import { createHmac, randomUUID } from 'node:crypto';
import { sealing } from '../../commands/audit-anchor/sealing.ts';
import { reconciliationId } from '../../commands/reconciliation/index.ts';
import { sealSigner } from '../../infra/audit/seal-signer.ts';
import type { Config } from '../config.ts';
import { inclusionProof, newestSeal } from '../finance/inclusion-proof.ts';
import { auditEndpoints } from '../http/routes/audit/index.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { Clock } from '../kernel/clock.ts';
import type { EventStore } from '../kernel/event-store.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Job } from './jobs.ts';
import type { WriteSide } from './write-side.ts';

type Deps = Readonly<{
  config: Pick<Config, 'AUDIT_SIGNING_KEY'>;
  identityHashKey: string;
  anchors: WriteSide['anchors'];
  reconciliations: WriteSide['reconciliations'];
  store: EventStore;
  /** Aborts when the process ends. */
  stopping: AbortSignal;
  clock: Clock;
  logger: Logger;
}>;

const EVERY_MS = 10_000;

/** A key of its own, as it should be where money is at stake, else one that all instances can derive. */
const seedOf = ({ AUDIT_SIGNING_KEY }: Deps['config'], identityHashKey: string): string =>
  AUDIT_SIGNING_KEY ?? createHmac('sha256', identityHashKey).update('seals of the log').digest('hex');

/** The seals over the log, and proofs that rest on them. */
export const sealingLog = (deps: Deps): Readonly<{ job: Job; endpoints: readonly Endpoint[] }> => {
  const { config, identityHashKey, anchors, reconciliations, store, stopping, clock, logger } = deps;
  const signer = sealSigner(seedOf(config, identityHashKey));
  logger.info({ keyId: signer.keyId }, 'the log is sealed with this key');
  const run = sealing({ anchors, store, signer, clock, newId: randomUUID, stopping, logger });
  return {
    job: { name: 'seal-log', everyMs: EVERY_MS, mayRun: () => true, run },
    endpoints: auditEndpoints({
      newestSeal: () => newestSeal(store),
      proof: (stream, revision) => inclusionProof(store, stream, revision),
      proofsOf: async (day) => (await reconciliations.state(reconciliationId(day))).runs,
    }),
  };
};
