import { deviceRegistry } from '../../commands/devices/device-registry.ts';
import { device } from '../../commands/devices/index.ts';
import { pushToken } from '../../commands/push-tokens/index.ts';
import { pushTokenDesk } from '../../commands/push-tokens/push-token-desk.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import type { EventStore } from '../../src/kernel/event-store.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { SubjectVault } from '../../src/kernel/vault.ts';

/** The devices and push tokens of a store, as an instance of the server has them. */
export const givenPushTokens = (store: EventStore, vault: SubjectVault) => {
  const deps = { store, logger: silentLogger, pause: () => Promise.resolve() };
  const registry = deviceRegistry({ handler: commandHandler(device, deps), vault });
  const tokens = pushTokenDesk({
    tokens: commandHandler(pushToken, deps),
    registry,
    vault,
    hashKey: '0a'.repeat(32),
  });
  return { registry, tokens };
};
