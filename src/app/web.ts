import { randomBytes, randomUUID } from 'node:crypto';
import { keyRing } from '../../commands/api-keys/key-ring.ts';
import { deviceLinks, heartbeats } from '../../commands/devices/device-presence.ts';
import { deviceRegistry } from '../../commands/devices/device-registry.ts';
import type { Notifier } from '../../commands/notifications/notifier.ts';
import { requestById } from '../../queries/requests/request-by-id.query.ts';
import { activeApiKeys } from '../../queries/api-keys/active-api-keys.query.ts';
import type { Answers } from '../../commands/completions/answers/answer.ts';
import type { Erasures } from '../../commands/erasure/erasures.ts';
import { requestOfKey } from '../../commands/completions/claims/request-of-key.ts';
import type { Config } from '../config.ts';
import { activityMeter } from '../http/activity.ts';
import { keyNow } from '../http/auth/key-now.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { diskSpool } from '../http/form/spool.ts';
import { apiPrefixesFor, buildHttp } from '../http/http.ts';
import { roomOf } from '../http/room.ts';
import { apiKeyEndpoints } from '../http/routes/api-keys/index.ts';
import { creditAccountEndpoints } from '../http/routes/billing/accounts.ts';
import { policyChanger } from '../http/routes/billing-policy/change-policy.ts';
import { billingEndpoints } from '../http/routes/billing/index.ts';
import { configEndpoints } from '../http/routes/config/index.ts';
import { videosUnder } from '../http/routes/config/onboarding.ts';
import { deviceEndpoints } from '../http/routes/devices/index.ts';
import { notificationEndpoints } from '../http/routes/notifications/index.ts';
import { followEvents } from '../http/routes/events/follow-events.ts';
import { deployment } from '../http/routes/health/deployment.ts';
import { health } from '../http/routes/health/health.ts';
import { live } from '../http/routes/health/live.ts';
import { ready, type ReadinessDeps } from '../http/routes/health/ready.ts';
import { llmEndpoints } from '../http/routes/llm/index.ts';
import { mediaEndpoints } from '../http/routes/media/index.ts';
import { knownRequests, type KnownRequests } from '../http/routes/llm/known-requests.ts';
import { socketOnly } from '../http/routes/sockets/socket-only.ts';
import { v1Endpoints } from '../http/routes/v1/index.ts';
import { serve } from '../http/server.ts';
import { isoOf, type Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { QueryRunner } from '../kernel/query.ts';
import type { EventHub } from '../ws/event-hub.ts';
import { eventsSocket } from '../ws/events-socket.ts';
import { llmSocket } from '../ws/llm-socket/llm-socket.ts';
import { sessionEnds, sessionWatch } from '../ws/session-watch.ts';
import { acceptSockets } from '../ws/upgrade.ts';
import { accountEndpoints } from './account-endpoints.ts';
import { addressHash, limitsOf } from './callers.ts';
import type { Completing } from './completing.ts';
import type { identity } from './identity.ts';
import { linking } from './linking.ts';
import type { LiveCatalogue } from './live-catalogue.ts';
import type { LivePolicy } from './live-policy.ts';
import { regionsOf } from './own-region.ts';
import { offeredEndpoints } from './offered-endpoints.ts';
import type { Stores } from './stores.ts';
import { VERSION } from './version.ts';
import type { WriteSide } from './write-side.ts';

type Deps = Readonly<{
  config: Config;
  port: number;
  stores: Stores;
  write: WriteSide;
  queries: QueryRunner;
  identity: ReturnType<typeof identity>;
  completing: Completing;
  answers: Answers;
  notifier: Notifier;
  /** Everything about paying. */
  payments: readonly Endpoint[];
  /** Seals and proofs. */
  audit: readonly Endpoint[];
  erasures: Erasures;
  offered: LiveCatalogue;
  prices: LivePolicy;
  hub: EventHub;
  readiness: ReadinessDeps;
  addressKey: string;
  clock: Clock;
  logger: Logger;
}>;

const VIDEOS = {
  intro: 'onboarding/intro_v1.m3u8',
  workflow: 'onboarding/workflow_v1.m3u8',
  voice: 'onboarding/voice_v1.m3u8',
  plan: 'onboarding/plan_v1.m3u8',
};

const MAX_FRAME_BYTES = 32 * 1024 * 1024;
const RESTARTING = 1012;
const MIB = 1024 * 1024;
const SMALL_BODY_BYTES = MIB / 4;

const requestsOf = ({ completing, write, queries, clock }: Deps): KnownRequests =>
  knownRequests({
    completions: completing.command,
    cancels: write.cancels,
    credits: write.credits,
    lookUp: (requestId) => queries.asSystem(requestById(requestId)),
    clock,
    pause: write.pause,
  });

const ownEndpoints = (deps: Deps, stopping: AbortSignal): readonly Endpoint[] => {
  const { config, stores, write, queries, completing, offered, prices, clock, logger, hub } = deps;
  const policy = () => prices.view().policy;
  const changePolicy = policyChanger(prices.service);
  const registry = deviceRegistry({ handler: write.devices, vault: stores.vault });
  const ring = keyRing({
    handler: write.apiKeys,
    vault: stores.vault,
    activeKeys: (userId, at) => queries.asUser(userId, activeApiKeys(userId, at)),
    newId: randomUUID,
    random: randomBytes,
  });
  const modelName = (id: string) => {
    const model = completing.catalogue().models.find((candidate) => candidate.id === id);
    return model === undefined ? undefined : { name: model.name, provider: model.provider };
  };
  return [
    ...deviceEndpoints({
      registry,
      tokens: write.pushTokens,
      queries,
      links: deviceLinks({ relay: stores.relay, logger }),
      beats: heartbeats({ ephemeral: stores.ephemeral, logger }),
    }),
    ...notificationEndpoints({ notifier: deps.notifier, queries, vault: stores.vault }),
    ...apiKeyEndpoints({ ring, queries, clock }),
    ...accountEndpoints({ write, queries, erasures: deps.erasures }),
    ...billingEndpoints({ queries, clock, modelName, feeTiers: () => policy().tiers }),
    ...creditAccountEndpoints({ accounts: write.credits, vault: stores.vault, queries, clock }),
    ...deps.payments,
    ...deps.audit,
    ...configEndpoints({
      policy,
      changePolicy,
      regions: regionsOf(config, deps.port),
      regionsSince: isoOf(clock()),
      videos: config.CDN_BASE_URL === undefined ? {} : videosUnder(config.CDN_BASE_URL, VIDEOS),
    }),
    ...offeredEndpoints({ offered, completing, queries, prices, changePolicy }),
    ...llmEndpoints({ answers: deps.answers, requests: requestsOf(deps) }),
    ...v1Endpoints({
      answers: deps.answers,
      catalogue: completing.catalogue,
      reaches: completing.reaches,
    }),
    ...mediaEndpoints({
      media: completing.media,
      run: deps.answers.run,
      mostVideoBytes: config.VIDEO_MAX_MIB * MIB,
    }),
    ...['/ws/device-link', '/ws/llm'].map(socketOnly),
    followEvents({ hub, clock, stopping, watch: sessionWatch(deps.identity.revocations, clock) }),
  ];
};

const roomsOf = (config: Config) => ({
  // Small bodies pass whatever the large ones do.
  bodies: roomOf({ mostBytes: config.MAX_BODY_MIB_IN_FLIGHT * MIB, freeBytes: SMALL_BODY_BYTES, what: 'large bodies' }),
  forms: roomOf({ mostBytes: config.UPLOAD_MIB_IN_FLIGHT * MIB, what: 'files' }),
  // Apart from the bodies, so that a message that is one too many is refused at its end and its socket lives.
  arrivals: roomOf({ mostBytes: (config.MAX_BODY_MIB_IN_FLIGHT * MIB) / 2, what: 'messages' }),
});

/** The edge, listening. */
export const web = async (deps: Deps) => {
  const { config, logger, clock, identity: signing, readiness } = deps;
  const stopping = new AbortController();
  const activity = activityMeter();
  const startedAt = clock().getTime();
  const hashAddress = addressHash(deps.addressKey);
  const watch = sessionWatch(signing.revocations, clock);
  const rooms = roomsOf(config);
  const { app, gate, refusalHeaders } = buildHttp({
    endpoints: [
      ...signing.endpoints,
      ...ownEndpoints(deps, stopping.signal),
      health(VERSION),
      live(),
      ready(readiness),
      deployment({
        token: config.VIBE_DEPLOYMENT_TOKEN,
        version: VERSION,
        color: config.DEPLOYMENT_COLOR,
        port: () => deps.port,
        uptimeSeconds: () => (clock().getTime() - startedAt) / 1000,
        activity: activity.now,
      }),
    ],
    authenticator: signing.authenticator,
    limiter: deps.stores.limiter,
    limits: limitsOf(config),
    logger,
    clock,
    corsOrigins: config.CORS_ORIGINS ?? ['*'],
    trustedProxies: config.TRUSTED_PROXIES,
    apiPrefixes: apiPrefixesFor(config.API_VERSIONING),
    https: config.PUBLIC_URL?.startsWith('https:') ?? false,
    activity,
    hashAddress,
    ...(config.UPLOAD_DIR === undefined ? {} : { spool: diskSpool(config.UPLOAD_DIR) }),
    rooms,
  });
  const link = linking({
    ...{ stores: deps.stores, write: deps.write, hashAddress, clock, logger },
    sessionEnds: sessionEnds(signing.revocations, clock),
    desktopOnline: (userId) => deps.notifier.desktopOnline(userId),
  });
  const serving = await serve(app.callback(), { host: config.HOST, port: deps.port, refusalHeaders });
  const sockets = acceptSockets({
    app,
    server: serving.server,
    gate,
    logger,
    handlers: {
      '/ws/events': eventsSocket({ hub: deps.hub, clock, stopping: stopping.signal, watch }),
      '/ws/device-link': link.socket,
      '/ws/llm': llmSocket({
        answers: deps.answers,
        requests: requestsOf(deps),
        requestOfKey: requestOfKey(deps.write.claims),
        keyNow: keyNow(deps.write.apiKeys),
        room: rooms.bodies,
        gate,
        watch,
        stopping: stopping.signal,
        newId: randomUUID,
        hashAddress,
        clock,
        logger,
      }),
    },
    scopes: { '/ws/events': 'account', '/ws/llm': 'chat', '/ws/device-link': 'devices' },
    maxFrameBytes: MAX_FRAME_BYTES,
    room: rooms.arrivals,
    activity,
    refusalHeaders,
  });
  const stop = async (limitMs: number): Promise<void> => {
    stopping.abort();
    sockets.closeAll(RESTARTING);
    await serving.stop(limitMs);
    await link.stop();
  };
  return { url: serving.url, stop };
};
