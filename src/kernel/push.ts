import type { IsoTime } from './message.ts';

/** Apple's two services: a token of one is unknown to the other. */
export type PushEnvironment = 'sandbox' | 'production';

/** One push to one device. */
export type Push = Readonly<{
  /** A UUID: equal for repeated attempts. */
  id: string;
  token: string;
  /** Null: not known; then the configured one is tried first, and the other one when that does not know the token. */
  environment: PushEnvironment | null;
  /** The app that it is for; null: the configured one. */
  bundleId: string | null;
  /** `background` wakes the app and shows nothing. */
  type: 'alert' | 'background';
  /** A newer push with the same id takes the place of an older one on the device; at most 64 bytes. */
  collapseId: string;
  /** After this it is of no use. */
  expiresAt: IsoTime;
  payload: Readonly<Record<string, unknown>>;
}>;

/** What became of a push. */
export type PushOutcome = Readonly<{ attempts: number }> &
  (
    | Readonly<{ kind: 'delivered'; environment: PushEnvironment }>
    /** The token reaches nothing. `since`: as the service has known it, null when it does not say. */
    | Readonly<{ kind: 'gone'; reason: string; since: IsoTime | null }>
    /** The service will never take this push; the token may be good. */
    | Readonly<{ kind: 'refused'; reason: string }>
    /** The service could not be brought to answer, however often it was asked. */
    | Readonly<{ kind: 'unavailable'; reason: string }>
  );

/** The port to the push service. */
export type PushGateway = Readonly<{
  /** Tries until there is an outcome, for about a minute and a half at most. Rejects only when `signal` aborts. */
  send: (push: Push, signal: AbortSignal) => Promise<PushOutcome>;
  close: () => Promise<void>;
}>;

/** The most bytes of JSON that the service takes as a payload. */
export const MOST_PAYLOAD_BYTES = 4096;
