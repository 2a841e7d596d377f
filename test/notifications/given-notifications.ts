import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { deviceLinks, heartbeats } from '../../commands/devices/device-presence.ts';
import { notification } from '../../commands/notifications/index.ts';
import { notifier, type Notifier } from '../../commands/notifications/notifier.ts';
import { pushPace } from '../../commands/notifications/pacing.ts';
import { resumeNotifications } from '../../commands/notifications/unfinished.ts';
import { apnsGateway } from '../../infra/apns/apns-gateway.ts';
import { memoryEphemeral } from '../../infra/ephemeral/memory-ephemeral.ts';
import { memoryRelay } from '../../infra/relay/memory-relay.ts';
import { memoryPacer } from '../../infra/ephemeral/memory-pacer.ts';
import { sqliteVault } from '../../infra/vault/sqlite-vault.ts';
import { devicePresenceProjection } from '../../projections/device-presence/device-presence.projection.ts';
import { devicesProjection } from '../../projections/devices/devices.projection.ts';
import { notificationsProjection } from '../../projections/notifications/notifications.projection.ts';
import { pushTokensProjection } from '../../projections/push-tokens/push-tokens.projection.ts';
import { pushTargets } from '../../queries/notifications/push-targets.query.ts';
import { unfinishedNotifications } from '../../queries/notifications/unfinished-notifications.query.ts';
import { deviceEndpoints } from '../../src/http/routes/devices/index.ts';
import { notificationEndpoints } from '../../src/http/routes/notifications/index.ts';
import type { Authenticator } from '../../src/http/authenticator.ts';
import { isUuid } from '../../src/kernel/ids.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import type { PushGateway } from '../../src/kernel/push.ts';
import { apnsOptions } from '../apns/given-apns.ts';
import { startReadSide } from '../billing/read-side.ts';
import { givenPushTokens } from '../devices/given-push-tokens.ts';
import { startApnsDouble } from '../support/apns-double.ts';
import { ada, byName, startHttp } from '../support/given-http.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { memoryLogger } from '../support/memory-logger.ts';
import { temporaryFolder } from '../support/postgres.ts';

type Request = Readonly<{
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  /** `ada`, `grace` or the id of any user. */ as?: string;
}>;

const byNameOrId: Authenticator = (offered) => {
  const userId = offered.authorization?.replace('Bearer ', '') ?? '';
  return isUuid(userId) ? Promise.resolve({ ...ada, userId }) : byName(offered);
};

/** A wait that ends when a test says so, for everybody who waits. */
const heldWait = () => {
  const waiting: { milliseconds: number; wake: () => void }[] = [];
  return {
    waiting,
    wait: (milliseconds: number) =>
      new Promise<void>((wake) => {
        waiting.push({ milliseconds, wake });
      }),
    /** Wakes those who wait for at most so many milliseconds. */
    pass: (milliseconds: number): void => {
      for (const one of waiting.splice(0)) {
        if (one.milliseconds <= milliseconds) one.wake();
        else waiting.push(one);
      }
    },
  };
};

/** Devices, push tokens and notifications over HTTP, with real tables and a double of Apple's push service. */
export const givenNotifications = async () => {
  const folder = temporaryFolder();
  const store = memoryEventStore();
  const vault = sqliteVault({ masterKey: '07'.repeat(32), path: join(folder, 'vault.db') });
  const ephemeral = memoryEphemeral();
  const relay = memoryRelay().attach('one');
  const apns = await startApnsDouble();
  const { logger, lines } = memoryLogger();
  const projections = [devicesProjection, devicePresenceProjection, pushTokensProjection, notificationsProjection];
  const readSide = await startReadSide(projections, { store, vault });
  let now = new Date('2026-01-01T00:00:00.000Z');
  const clock = (): Date => now;
  const held = heldWait();
  const pacer = memoryPacer(() => now.getTime());
  const { registry, tokens } = givenPushTokens(store, vault);

  /** An instance of the server that sends; without a gateway none is configured. */
  const instance = (gateway: PushGateway | undefined) => {
    const handler = commandHandler(notification, { store, logger, pause: () => Promise.resolve() });
    const telling: Notifier = notifier({
      ...{ gateway, handler, vault, tokens, clock, logger, answerWithinMs: 5000, wait: held.wait },
      targets: (userId) => readSide.queries.asUser(userId, pushTargets(userId)),
      pace: pushPace({ pacer, wait: held.wait }),
    });
    const resume = resumeNotifications({
      ...{ handler, notifier: telling, clock, logger, graceMs: 300_000 },
      unfinished: (before) => readSide.queries.asSystem(unfinishedNotifications(before.toISOString(), 100)),
      targets: (userId) => readSide.queries.asSystem(pushTargets(userId)),
    });
    return { telling, resume };
  };

  const gateway = apnsGateway(apnsOptions(apns.url, { logger }));
  const one = instance(gateway);
  const unconfigured = instance(undefined);

  const endpointsOf = (telling: Notifier) => [
    ...deviceEndpoints({
      ...{ registry, tokens, queries: readSide.queries },
      links: deviceLinks({ relay, logger }),
      beats: heartbeats({ ephemeral, logger }),
    }),
    ...notificationEndpoints({ notifier: telling, queries: readSide.queries, vault }),
  ];
  const http = await startHttp(endpointsOf(one.telling), { clock, authenticator: byNameOrId });
  const without = await startHttp(endpointsOf(unconfigured.telling), { clock, authenticator: byNameOrId });

  const callAt =
    (url: string) =>
    async (method: string, path: string, { body, headers = {}, as = 'ada' }: Request = {}) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${as}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const answer = text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
      return { status: response.status, body: answer };
    };
  const call = callAt(http.url);

  return {
    store,
    vault,
    apns,
    lines,
    held,
    clock,
    tokens,
    gateway,
    instance,
    one,
    call,
    callUnconfigured: callAt(without.url),
    /** Moves the clock. */
    later: (milliseconds: number): void => {
      now = new Date(now.getTime() + milliseconds);
    },
    targets: (userId: string) => readSide.queries.asSystem(pushTargets(userId)),
    /** The types of the events whose stream's name starts with this. */
    types: (prefix: string) =>
      store
        .log()
        .filter(({ stream }) => stream.startsWith(prefix))
        .map(({ type }) => type),
    /** A phone with this token, registered. */
    phone: async (token: string, as = 'ada'): Promise<string> => {
      const deviceId = randomUUID();
      const body = { platform: 'ios', token };
      await call('PUT', '/api/devices/push-token', { body, headers: { 'x-device-id': deviceId }, as });
      return deviceId;
    },
    close: async () => {
      await one.telling.stop();
      await http.close();
      await without.close();
      await gateway.close();
      await apns.close();
      await readSide.close();
      await vault.close();
      await ephemeral.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

export type GivenNotifications = Awaited<ReturnType<typeof givenNotifications>>;
