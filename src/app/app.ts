import { randomUUID } from 'node:crypto';
import { followCancels } from '../../commands/completion-cancels/follow-cancels.ts';
import { closeBooks, expirePromoCredit, settleAbandonedHolds } from '../../commands/credits/housekeeping.ts';
import { loadCatalogue } from '../../infra/catalogue/load-catalogue.ts';
import { loadPrompts } from '../../infra/catalogue/load-prompts.ts';
import { abandonedHolds } from '../../queries/billing/abandoned-holds.query.ts';
import { usersWithExpiredCredit } from '../../queries/billing/expired-lots.query.ts';
import { usersWithUnclosedBooks } from '../../queries/billing/unclosed-books.query.ts';
import { userFeed } from '../../projections/user-feed/user-feed.projection.ts';
import type { Config } from '../config.ts';
import { isoOf, type Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import { eventHub } from '../ws/event-hub.ts';
import { completing } from './completing.ts';
import { liveCatalogue } from './live-catalogue.ts';
import { builtPolicy, livePolicy } from './live-policy.ts';
import { identity } from './identity.ts';
import { startJobs, type Job } from './jobs.ts';
import type { Parts } from './parts.ts';
import { notifying } from './notifying.ts';
import { keepingShort } from './keeping-short.ts';
import { paying } from './paying.ts';
import { readSide, type ReadSide } from './read-side.ts';
import { readYourWrites } from './read-your-writes.ts';
import { readinessOf } from './readiness.ts';
import { recording } from './recording.ts';
import { erasing } from './erasing.ts';
import { sealingLog } from './sealing-log.ts';
import { nightlyProof, provingTool } from './nightly-proof.ts';
import { seedDocuments } from './seeding.ts';
import { connectStores } from './stores.ts';
import { web } from './web.ts';
import { pause, writeSide, type WriteSide } from './write-side.ts';

/** The environment, for tools that are run beside. */
type Env = Readonly<Record<string, string | undefined>>;

type Deps = Readonly<{
  config: Config;
  parts: Parts;
  publicUrl: string;
  port: number;
  env: Env;
  clock: Clock;
  logger: Logger;
}>;

const LEASE_GRACE_MS = 3000;
const SWEEP_EVERY_MS = 5000;
const EXPIRE_EVERY_MS = 60_000;
const CLOSE_EVERY_MS = 600_000;
const AT_ONCE = 200;
/** How long requests may take to settle after their time to end by themselves is over. */
const SETTLE_MS = 10_000;
/** How long their ends may take to be recorded after that. */
const RECORD_MS = 3_000;

const jobsOf = (
  { queries, projector }: ReadSide,
  { credits }: WriteSide,
  clock: Clock,
  logger: Logger,
): readonly Job[] => {
  const deps = { credits, clock, logger };
  // On a new database there are no tables yet, and so nothing to do.
  const mayRun = (): boolean => projector.isReadable();
  return [
    {
      name: 'sweep-holds',
      everyMs: SWEEP_EVERY_MS,
      mayRun,
      run: settleAbandonedHolds({
        ...deps,
        abandoned: (before) => queries.asSystem(abandonedHolds(isoOf(before), AT_ONCE)),
        graceMs: LEASE_GRACE_MS,
      }),
    },
    {
      name: 'expire-promo',
      everyMs: EXPIRE_EVERY_MS,
      mayRun,
      run: expirePromoCredit({ ...deps, due: (now) => queries.asSystem(usersWithExpiredCredit(now, AT_ONCE)) }),
    },
    {
      name: 'close-books',
      everyMs: CLOSE_EVERY_MS,
      mayRun,
      run: closeBooks({ ...deps, due: (now) => queries.asSystem(usersWithUnclosedBooks(now, AT_ONCE)) }),
    },
  ];
};

/** Wires everything, visibly, once, and starts the roles of this process. */
export const startApp = async ({ config, parts, publicUrl, port, env, clock, logger }: Deps) => {
  const has = (role: (typeof config.roles)[number]): boolean => config.roles.includes(role);
  const instance = randomUUID();
  const own = readYourWrites();
  const connected = await connectStores(config, parts, logger);
  const stores = { ...connected, eventStore: own.noting(connected.eventStore) };
  const { eventStore, vault, pools } = stores;
  const { identityHashKey } = parts.secrets;

  const prices = livePolicy({ build: builtPolicy(config), store: eventStore, clock, pause, logger });
  const signupOffer = () => prices.view().policy.promo;
  const write = writeSide({ config, eventStore, vault, identityHashKey, signupOffer, logger });
  let feedGrew = (): void => undefined;
  const read = readSide({
    eventStore,
    pools,
    vault,
    clock,
    logger,
    instance,
    own: has('projections'),
    onAdvance: (name) => {
      if (name === userFeed.name) feedGrew();
    },
  });
  const queries = own.waiting(read.queries, read.waitFor);
  const logHead = async (): Promise<bigint> => (await eventStore.head())?.commit ?? 0n;
  const hub = eventHub({ queries, logHead, logger });
  feedGrew = hub.grown;

  const build = { catalogue: loadCatalogue({ embedded: parts.sandboxUrl !== undefined }), prompts: loadPrompts() };
  const offered = liveCatalogue({ build, store: eventStore, clock, pause: write.pause, logger });
  const answering = completing({ config, parts, write, catalogue: offered.catalogue, clock, logger });
  const recorded = recording({
    config,
    stores,
    write,
    completions: answering.command,
    digestKey: identityHashKey,
    clock,
    logger,
  });
  const mayRun = (): boolean => read.projector.isReadable();
  const telling = notifying({ config, stores, write, queries, mayRun, clock, logger });
  const { notifier } = telling;
  const money = paying({ config, parts, publicUrl, write, prices, queries, vault, notifier, mayRun, clock, logger });
  const forgetAnswers = recorded.forgetUser;
  const forgetting = erasing({ stores, write, read, forgetAnswers, provider: money.provider, clock, logger });
  const signing = identity({ config, parts, stores, write, read, publicUrl, clock, logger });
  const stopping = new AbortController();
  const { signal } = stopping;
  const { anchors, reconciliations } = write;
  const sealed = sealingLog({
    config,
    identityHashKey,
    anchors,
    reconciliations,
    store: eventStore,
    stopping: signal,
    clock,
    logger,
  });
  const prove = provingTool(parts, env);
  const nightly = nightlyProof({ reconciliations, store: eventStore, prove, mayRun, stopping: signal, clock, logger });
  void followCancels(
    { store: eventStore, completions: answering.command, pause: write.pause, logger },
    stopping.signal,
  );
  let started = false;

  read.projector.start();
  const revocationsReady = signing.revocations.start(stopping.signal);
  const catalogueReady = offered.start(stopping.signal);
  const pricesReady = prices.start(stopping.signal);
  const documentsReady = seedDocuments({ consents: write.consents, pause: write.pause, logger }, stopping.signal);
  const edge = has('web')
    ? await web({
        config,
        port,
        stores,
        write,
        queries,
        identity: signing,
        completing: answering,
        answers: recorded.answers,
        notifier,
        erasures: forgetting.erasures,
        payments: money.endpoints,
        audit: sealed.endpoints,
        offered,
        prices,
        hub,
        readiness: {
          started: () => started,
          readiness: readinessOf({ stores, read, revocations: signing.revocations, offered, prices }),
        },
        addressKey: identityHashKey,
        clock,
        logger,
      })
    : undefined;
  await Promise.all([revocationsReady, catalogueReady, pricesReady, documentsReady]);
  const work = [
    ...jobsOf(read, write, clock, logger),
    ...telling.jobs,
    ...money.jobs,
    keepingShort({ pools, mayRun, clock, logger }),
    recorded.sweep,
    sealed.job,
    nightly,
    ...forgetting.jobs,
  ];
  const jobs = has('jobs') ? startJobs(work, stores.ephemeral, logger) : undefined;
  started = true;

  /** Ends in the reverse order of the start; each step has a limit of its own. */
  const stop = async (): Promise<void> => {
    started = false;
    const graceMs = config.SHUTDOWN_GRACE_SECONDS * 1000;
    const settling = answering.command.shutdown({ graceMs, limitMs: SETTLE_MS });
    // What other instances answer is read on there.
    const releasing = setTimeout(recorded.answers.release, graceMs);
    await edge?.stop(graceMs + SETTLE_MS);
    clearTimeout(releasing);
    await settling;
    await recorded.answers.close(RECORD_MS);
    stopping.abort();
    await jobs?.stop();
    await telling.stop();
    await money.idle();
    await read.projector.stop();
    await answering.close();
    await stores.close();
  };
  return { url: edge?.url, stop };
};
