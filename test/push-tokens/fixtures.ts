import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { StoreUnavailableError } from '../../src/kernel/event-store.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { MemoryEventStore } from '../support/memory-event-store.ts';

export const ADA = '11111111-1111-4111-8111-111111111111';
export const EVE = '22222222-2222-4222-8222-222222222222';
export const DEVICE = '33333333-3333-4333-8333-333333333333';
export const mine = { userId: ADA, deviceId: DEVICE };

export const causeAt = (second: number): Cause => ({
  at: new Date(Date.UTC(2026, 2, 1, 12, 0, second)).toISOString(),
  correlationId: randomUUID(),
  causationId: randomUUID(),
  actor: { kind: 'user', id: ADA },
});

export const phone = {
  kind: 'mobile',
  platform: 'ios',
  platformVersion: null,
  appVersion: '1.0',
  relayEligible: false,
  presence: 'offline',
  details: { name: 'Phone', localIps: [], publicIp: null, availablePorts: [], capabilities: {} },
} as const;

/** A token as an app hands it in. */
export const handed = (token: string) => ({ token, platform: 'ios', environment: null, bundleId: null });

/** Does work of which only the first `whole` appends get to the store, as in a process that is killed. */
export const killed = async (store: MemoryEventStore, whole: number, work: () => Promise<unknown>): Promise<void> => {
  let appends = 0;
  store.beforeAppend(() => {
    appends += 1;
    if (appends > whole) throw new StoreUnavailableError('killed');
  });
  const survived = await work().then(
    () => true,
    () => false,
  );
  store.beforeAppend(undefined);
  expect(survived, 'it was killed').to.equal(false);
};
