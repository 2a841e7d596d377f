import { randomUUID } from 'node:crypto';
import { apiKeyAggregate } from '../../commands/api-keys/index.ts';
import { forgettingCustomers } from '../../commands/billing-profile/forgetting-customers.ts';
import { billingProfileAggregate } from '../../commands/billing-profile/index.ts';
import { deviceRegistry } from '../../commands/devices/device-registry.ts';
import { device } from '../../commands/devices/index.ts';
import { erasureService, type Erasures } from '../../commands/erasure/erasures.ts';
import { erasureAggregate } from '../../commands/erasure/index.ts';
import { pushToken } from '../../commands/push-tokens/index.ts';
import { pushTokenDesk } from '../../commands/push-tokens/push-token-desk.ts';
import { sqliteVault } from '../../infra/vault/sqlite-vault.ts';
import type { ApiKeyEvent } from '../../src/events/api-key/api-key.events.ts';
import type { DeviceEvent } from '../../src/events/device/device.events.ts';
import type { PushTokenEvent } from '../../src/events/push-token/push-token.events.ts';
import type { SessionEvent } from '../../src/events/session/session.events.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { StoredEvent } from '../../src/kernel/event-store.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { SubjectVault } from '../../src/kernel/vault.ts';
import { identityRig } from '../identity/rig.ts';
import { memoryEventStore, type MemoryEventStore } from '../support/memory-event-store.ts';

const memoryVault = (): SubjectVault => sqliteVault({ path: ':memory:', masterKey: 'ab'.repeat(32) });

/** What of a category is there: the ids that were begun and not ended. */
const alive = (
  log: readonly StoredEvent[],
  prefix: string,
  { begun, ended }: Readonly<{ begun: readonly string[]; ended: readonly string[] }>,
): readonly StoredEvent[] => {
  const found = new Map<string, StoredEvent>();
  for (const event of log.filter(({ stream }) => stream.startsWith(prefix))) {
    if (begun.includes(event.type)) found.set(event.stream, event);
    if (ended.includes(event.type)) found.delete(event.stream);
  }
  return [...found.values()];
};

const dataOf = <E>(events: readonly StoredEvent[]) => events.map(({ data }) => data as E);

/** The payment provider: who its customers are, whose money is on its way, and whether it answers. */
type Shop = { customers: Map<string, string>; paying: Set<string>; isAway: boolean };

export type World = Readonly<{
  store: MemoryEventStore;
  vault: SubjectVault;
  now: Date;
  answers: Set<string>;
  shop: Shop;
}>;

/** What outlives every process of a test. */
export const newWorld = (): { -readonly [K in keyof World]: World[K] } => ({
  store: memoryEventStore(),
  vault: memoryVault(),
  now: new Date('2026-03-01T12:00:00.000Z'),
  answers: new Set<string>(),
  shop: { customers: new Map<string, string>(), paying: new Set<string>(), isAway: false },
});

/** What is not as usual of a process: its clock, and what others do while it looks at what a user has. */
type Differently = Readonly<{ skewMs?: number; meanwhile?: () => Promise<unknown>; payments?: 'off' }>;

/** One process over a world: its own handlers, with nothing remembered. No two clocks are the same. */
export const processOn = (world: World, { skewMs = 0, meanwhile, payments }: Differently = {}) => {
  const { store, vault } = world;
  const rig = identityRig(store, vault);
  const deps = { store, logger: silentLogger, pause: () => Promise.resolve() };
  const devices = commandHandler(device, deps);
  const apiKeys = commandHandler(apiKeyAggregate, deps);
  const profiles = commandHandler(billingProfileAggregate, deps);
  const answering = <T>(answer: T): Promise<T> =>
    world.shop.isAway
      ? Promise.reject(new DomainError('external_service_error', 'the payment provider is away'))
      : Promise.resolve(answer);
  const provider = {
    findCustomer: (userId: string) => answering([...world.shop.customers].find(([, of]) => of === userId)?.[0]),
    deleteCustomer: async (customerId: string) => {
      await answering(undefined);
      world.shop.customers.delete(customerId);
    },
  };
  const registry = deviceRegistry({ handler: devices, vault });
  const tokens = pushTokenDesk({
    tokens: commandHandler(pushToken, deps),
    registry,
    vault,
    hashKey: '0a'.repeat(32),
  });
  const clock = (): Date => new Date(world.now.getTime() + skewMs);

  const mine = <D extends Readonly<{ userId: string }>>(userId: string, of: readonly D[]): readonly D[] =>
    of.filter((data) => data.userId === userId);

  const belongings = (userId: string) => {
    const log = store.log();
    const sessions = alive(log, 'session-', { begun: ['SignedIn'], ended: ['SignedOut', 'SessionRevoked'] });
    const keys = alive(log, 'apiKey-', { begun: ['ApiKeyCreated'], ended: ['ApiKeyRevoked'] });
    const owned = alive(log, 'device-', { begun: ['DeviceRegistered'], ended: ['DeviceRemoved'] });
    const held = alive(log, 'pushToken-', { begun: ['PushTokenClaimed'], ended: ['PushTokenReleased'] });
    return Promise.resolve({
      pushTokens: mine(userId, dataOf<PushTokenEvent['data']>(held)),
      sessions: mine(userId, dataOf<SessionEvent['data']>(sessions)),
      apiKeys: mine(userId, dataOf<ApiKeyEvent['data']>(keys)).map(({ keyId }) => keyId),
      devices: mine(userId, dataOf<DeviceEvent['data']>(owned)).map(({ deviceId }) => deviceId),
    });
  };

  const erasures: Erasures = erasureService({
    erasures: commandHandler(erasureAggregate, deps),
    credits: rig.accounts,
    users: rig.users,
    sessions: rig.sessions,
    apiKeys,
    removeDevice: (whose, cause) => tokens.removeDevice(whose, cause),
    releaseToken: (held, cause) => tokens.releaseStale(held, cause),
    forgetAnswers: (userId) => Promise.resolve(world.answers.delete(userId) ? 1 : 0),
    profiles,
    isPaying: (userId) => Promise.resolve(world.shop.paying.has(userId)),
    forgetCustomer: forgettingCustomers({
      profiles,
      provider: payments === 'off' ? undefined : provider,
      newId: randomUUID,
    }),
    belongings: async (userId) => {
      const found = await belongings(userId);
      await meanwhile?.();
      return found;
    },
    remains: async (userId) => {
      const { devices: left, apiKeys: keys, pushTokens: held } = await belongings(userId);
      const looked = { devices: left, api_key: keys, push_tokens: held };
      return {
        looked: Object.keys(looked),
        left: Object.entries(looked).flatMap(([table, rows]) => (rows.length > 0 ? [table] : [])),
      };
    },
    vault,
    store,
    clock,
    newId: randomUUID,
  });
  return { ...rig, devices, apiKeys, registry, tokens, profiles, erasures, clock };
};

export type Process = ReturnType<typeof processOn>;
