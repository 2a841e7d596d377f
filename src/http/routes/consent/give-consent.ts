import { z } from 'zod';
import type { Consents } from '../../../../commands/consent/consents.ts';
import type { Device } from '../../../../commands/devices/devices.state.ts';
import type { ConsentSource } from '../../../events/consent/consent.events.ts';
import { empty, userEndpoint, type Caller, type Endpoint } from '../../endpoint.ts';
import { placeInput, placeOf } from './consent-input.ts';

export type GiveConsentDeps = Readonly<{
  consents: Pick<Consents, 'accept' | 'withdraw'>;
  /** What is on record of a device. */
  device: (deviceId: string) => Promise<Device>;
}>;

const body = z.object({ ...placeInput, metadata: z.record(z.string(), z.unknown()).nullish() });

/** Nobody's own words about a browser are longer. */
const MOST_AGENT = 512;
const MOST_BODY_BYTES = 16 * 1024;

/** What the caller's device is on record as: a header could say anything. */
const sourceOf = async (
  device: GiveConsentDeps['device'],
  { deviceId, userId }: Pick<Caller, 'deviceId' | 'userId'>,
): Promise<ConsentSource> => {
  if (deviceId === undefined) return 'api';
  const known = await device(deviceId);
  return known.status === 'registered' && known.userId === userId ? known.kind : 'api';
};

const giving = (verb: 'accept' | 'withdraw', { consents, device }: GiveConsentDeps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: `/api/consent/${verb}`,
    limit: 'write',
    body,
    maxBodyBytes: MOST_BODY_BYTES,
    handle: async ({ body: sent, cause, header }, caller) => {
      const word = {
        ...placeOf(sent),
        userId: caller.userId,
        source: await sourceOf(device, caller),
        userAgent: header('user-agent')?.slice(0, MOST_AGENT),
        details: sent.metadata ?? undefined,
      };
      await consents[verb](word, cause);
      return empty();
    },
  });

/** POST /api/consent/accept: the user agrees to the current version. Needs a person, not a program's key. */
export const acceptConsent = (deps: GiveConsentDeps): Endpoint => giving('accept', deps);

/** POST /api/consent/withdraw: the user no longer agrees. */
export const withdrawConsent = (deps: GiveConsentDeps): Endpoint => giving('withdraw', deps);
