import { generateKeyPairSync } from 'node:crypto';
import type { ApnsOptions } from '../../infra/apns/apns-gateway.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { Push } from '../../src/kernel/push.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** What the provider tokens of these tests can be proven with. */
export const apnsPublicKey = publicKey;

export const apnsKey = {
  teamId: 'TEAM123456',
  keyId: 'KEY1234567',
  privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};

/** A gateway to one address for both of Apple's services, which notes its pauses and takes none. */
export const apnsOptions = (url: string, change: Partial<ApnsOptions> = {}): ApnsOptions & { pauses: number[] } => {
  const pauses: number[] = [];
  return {
    key: apnsKey,
    bundleId: 'com.example.app',
    environment: 'sandbox',
    hosts: { production: url, sandbox: url },
    clock: () => new Date(),
    pause: (milliseconds, signal) => {
      pauses.push(milliseconds);
      signal.throwIfAborted();
      return Promise.resolve();
    },
    logger: silentLogger,
    answerMs: 5000,
    pauses,
    ...change,
  };
};

/** An alert to one device. */
export const pushTo = (token: string, change: Partial<Push> = {}): Push => ({
  id: '0b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f',
  token,
  environment: 'sandbox',
  bundleId: null,
  type: 'alert',
  collapseId: 'job-1',
  expiresAt: '2030-01-01T00:00:00.000Z',
  payload: { aps: { alert: { title: 'Plan ready', body: 'Look' } }, jobId: 'j1' },
  ...change,
});
