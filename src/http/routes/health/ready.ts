import { setTimeout as wait } from 'node:timers/promises';
import { DomainError } from '../../../kernel/errors.ts';
import { json, publicEndpoint } from '../../endpoint.ts';
import { envelopeOf } from '../../problem.ts';

/** One part that the service works with, and how it is. */
export type PartReadiness = Readonly<{
  name: string;
  ok: boolean;
  detail?: string;
  /** False: without it less works, but no other instance would do better. Absent: nothing goes without it. */
  essential?: false;
}>;

export type ReadinessDeps = Readonly<{
  /** False until everything is wired, and again once the process is stopping. */
  started: () => boolean;
  readiness: () => Promise<readonly PartReadiness[]>;
  /** A probe must be answered: parts that are asked longer than this count as not ready. */
  limitMs?: number;
}>;

const notChecked = (detail: string): readonly PartReadiness[] => [{ name: 'readiness', ok: false, detail }];

const ask = async ({ readiness, limitMs = 3000 }: ReadinessDeps): Promise<readonly PartReadiness[]> => {
  const late = new AbortController();
  try {
    return await Promise.race([
      readiness(),
      wait(limitMs, notChecked('the parts did not answer in time'), { signal: late.signal, ref: false }),
    ]);
  } catch {
    return notChecked('the check itself failed');
  } finally {
    late.abort();
  }
};

/** Whether requests may be sent here: 200 (`degraded` when a part is away that is not essential) or 503, and each part. */
export const ready = (deps: ReadinessDeps) =>
  publicEndpoint({
    method: 'GET',
    path: '/health/ready',
    limit: 'health',
    handle: async ({ requestId }) => {
      if (!deps.started()) return unready('starting', requestId, []);
      const parts = await ask(deps);
      if (parts.every(({ ok }) => ok)) return json(200, { status: 'ok', ready: true, parts });
      if (parts.every(isBearable)) return json(200, { status: 'degraded', ready: true, parts });
      return unready('unavailable', requestId, parts);
    },
  });

const isBearable = ({ ok, essential }: PartReadiness): boolean => ok || essential === false;

const unready = (status: 'starting' | 'unavailable', requestId: string, parts: readonly PartReadiness[]) => {
  const detail = status === 'starting' ? 'the service is starting; ask again' : 'a part of the service is not ready';
  const error = new DomainError('service_unavailable', detail, { details: { parts } });
  return json(503, { ...envelopeOf(error, requestId), status, ready: false, parts }, { 'Retry-After': '2' });
};
