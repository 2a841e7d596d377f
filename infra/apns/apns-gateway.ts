import { bulkhead } from 'cockatiel';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import type { Push, PushEnvironment, PushGateway, PushOutcome } from '../../src/kernel/push.ts';
import { verdictOf, type Verdict } from './answers.ts';
import { h2Connection, type H2Connection } from './h2-connection.ts';
import { providerToken, type ApnsKey } from './provider-token.ts';

export type ApnsOptions = Readonly<{
  key: ApnsKey;
  /** The app's id, for tokens that name none. */
  bundleId: string;
  /** Tried first for tokens of which it is not known where they belong. */
  environment: PushEnvironment;
  hosts: Readonly<Record<PushEnvironment, string>>;
  clock: Clock;
  /** Resolves after so many milliseconds; rejects when `signal` aborts. */
  pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  logger: Logger;
  answerMs?: number;
  pingMs?: number;
}>;

/** Apple's own addresses. */
export const APNS_HOSTS: Readonly<Record<PushEnvironment, string>> = {
  production: 'https://api.push.apple.com',
  sandbox: 'https://api.sandbox.push.apple.com',
};

/** Waits before the second and later attempts, in milliseconds. */
const WAITS = [500, 2000, 8000, 30_000];
const ANSWER_MS = 10_000;
const PING_MS = 60_000;
const AT_ONCE = 100;
const MOST_QUEUED = 100_000;

const other = (environment: PushEnvironment): PushEnvironment =>
  environment === 'production' ? 'sandbox' : 'production';

const headersOf = (push: Push, proof: string, bundleId: string): Readonly<Record<string, string>> => ({
  authorization: `bearer ${proof}`,
  'apns-id': push.id,
  'apns-topic': push.bundleId ?? bundleId,
  'apns-push-type': push.type,
  // A push that shows nothing must not be urgent: Apple refuses it otherwise.
  'apns-priority': push.type === 'alert' ? '10' : '5',
  'apns-expiration': String(Math.floor(Date.parse(push.expiresAt) / 1000)),
  'apns-collapse-id': push.collapseId,
  'content-type': 'application/json',
});

/** Sends over HTTP/2 to Apple: one connection a host, one proof for all, many at once. */
export const apnsGateway = (options: ApnsOptions): PushGateway => {
  const { hosts, bundleId, clock, pause, logger, answerMs = ANSWER_MS, pingMs = PING_MS } = options;
  const proofs = providerToken(options.key, clock);
  const connect = (origin: string): H2Connection => h2Connection({ origin, answerMs, pingMs });
  const connections = { production: connect(hosts.production), sandbox: connect(hosts.sandbox) };
  const room = bulkhead(AT_ONCE, MOST_QUEUED);

  const once = async (push: Push, environment: PushEnvironment, signal: AbortSignal): Promise<Verdict> => {
    const proof = await proofs.current();
    const request = {
      path: `/3/device/${encodeURIComponent(push.token)}`,
      headers: headersOf(push, proof, bundleId),
      body: JSON.stringify(push.payload),
    };
    try {
      const verdict = verdictOf(await connections[environment].post(request, signal));
      if (verdict.kind === 'expired-proof') proofs.expired(proof);
      return verdict;
    } catch (error) {
      signal.throwIfAborted();
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
      logger.debug({ environment, code }, 'the push service did not answer');
      return { kind: 'again', reason: code, afterMs: 0 };
    }
  };

  const repeatedly = async (push: Push, environment: PushEnvironment, signal: AbortSignal): Promise<PushOutcome> => {
    for (let attempts = 1; ; attempts += 1) {
      const verdict = await room.execute(() => once(push, environment, signal));
      switch (verdict.kind) {
        case 'delivered':
          return { kind: 'delivered', environment, attempts };
        case 'gone':
        case 'refused':
          return { ...verdict, attempts };
        case 'again':
        case 'expired-proof': {
          const wait = WAITS[attempts - 1];
          const { reason } = verdict;
          if (wait === undefined) return { kind: 'unavailable', reason, attempts };
          await pause(verdict.kind === 'again' ? Math.max(wait, verdict.afterMs) : wait, signal);
        }
      }
    }
  };

  /** A token that is unknown where it was looked for first may belong to the other service. */
  const whereverItBelongs = async (push: Push, signal: AbortSignal): Promise<PushOutcome> => {
    const first = await repeatedly(push, options.environment, signal);
    if (first.kind !== 'gone' || first.reason !== 'BadDeviceToken' || hosts.production === hosts.sandbox) return first;
    const second = await repeatedly(push, other(options.environment), signal);
    const attempts = first.attempts + second.attempts;
    // Our key may be good for one of them only: what the other one has against it says nothing about the token.
    return second.kind === 'refused' ? { ...first, attempts } : { ...second, attempts };
  };

  return {
    send: (push, signal) =>
      push.environment === null ? whereverItBelongs(push, signal) : repeatedly(push, push.environment, signal),
    close: async () => {
      await Promise.all(Object.values(connections).map((connection) => connection.close()));
    },
  };
};
