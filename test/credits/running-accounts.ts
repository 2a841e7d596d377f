import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { creditAccount } from '../../commands/credits/index.ts';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import { startEventNode, type LaunchedNode } from '../../infra/embedded/event-node/launch.ts';
import { connectEventStore } from '../../infra/eventstore/event-store.ts';
import { databasePools, type DatabasePools } from '../../infra/postgres/pools.ts';
import { projector } from '../../infra/postgres/projector.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { isDomainError, type ErrorType } from '../../src/kernel/errors.ts';
import { StoreUnavailableError, type EventStore } from '../../src/kernel/event-store.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { freshDatabase } from '../support/postgres.ts';

/** A write side and a projector over connections of their own, as each server has them. */
const startInstance = (
  { nodeUrl, databaseUrl }: Readonly<{ nodeUrl: string; databaseUrl: string }>,
  { name, projections, die }: Readonly<{ name: string; projections: readonly Projection[]; die: () => boolean }>,
) => {
  const store = connectEventStore(nodeUrl);
  const pools = databasePools({ url: databaseUrl, logger: silentLogger });
  const append: EventStore['append'] = async (...what) => {
    const appended = await store.append(...what);
    // It dies after the events are there and before anybody hears of it.
    if (die()) throw new StoreUnavailableError('this instance is dead');
    return appended;
  };
  const accounts = commandHandler(creditAccount, {
    store: { ...store, append },
    logger: silentLogger,
    pause: () => new Promise(setImmediate),
  });
  const projecting = projector({
    projections,
    store,
    pools,
    vault: { open: () => Promise.resolve('opened') },
    logger: silentLogger,
    clock: () => new Date(),
    instance: name,
  });
  projecting.start();
  const dead = Promise.withResolvers<never>();
  dead.promise.catch(() => undefined);
  const handle: typeof accounts.handle = (...what) => Promise.race([accounts.handle(...what), dead.promise]);
  return {
    store,
    pools,
    projecting,
    handle,
    /** Cuts its connections with whatever is on them: who waits for it hears so, and what was sent may happen yet. */
    drop: async (): Promise<void> => {
      dead.reject(new StoreUnavailableError('this instance is dead'));
      await store.close();
      await projecting.stop();
      await pools.close();
    },
  };
};

type Instance = ReturnType<typeof startInstance>;

/** Several instances over one event node and one database; each may be dropped at any time, and so may the node. */
export type RunningAccounts = Readonly<{
  /** Sends a command to one instance after the other until one of them answers; tells the type of a refusal. */
  send: (userId: string, command: CreditCommand, cause: Cause, first: number) => Promise<ErrorType | undefined>;
  /** Puts a new instance in the place of one, whatever that one is doing. */
  replace: (index: number) => void;
  /** Ends the event node as a crash does and starts it again on what it has written. */
  crashNode: () => Promise<void>;
  /** How often an instance died between an append and its answer. */
  lost: () => number;
  store: () => EventStore;
  pools: () => DatabasePools;
  /** Waits until the read models show the whole log. */
  caughtUp: () => Promise<void>;
  stop: () => Promise<void>;
}>;

const portOf = (node: LaunchedNode): number => Number(new URL(node.url.replace('esdb:', 'http:')).port);

/** Starts `count` instances with these read models; an instance dies after an append when `dies` says so. */
export const startAccounts = async (
  count: number,
  projections: readonly Projection[],
  dies: () => boolean,
): Promise<RunningAccounts> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'running-accounts-'));
  const database = await freshDatabase();
  let node = await startEventNode({ dataDir, args: ['--log-level', 'error'] });
  const port = portOf(node);
  const urls = { nodeUrl: node.url, databaseUrl: database.url };
  const dropping: Promise<void>[] = [];
  const instances: Instance[] = [];
  let started = 0;
  let lost = 0;

  const start = (index: number): void => {
    started += 1;
    instances[index] = startInstance(urls, {
      name: `instance-${started}`,
      projections,
      die: () => {
        if (!dies()) return false;
        lost += 1;
        replace(index);
        return true;
      },
    });
  };
  const replace = (index: number): void => {
    const before = instances[index];
    start(index);
    if (before !== undefined) dropping.push(before.drop());
  };
  for (let index = 0; index < count; index += 1) start(index);
  const one = (): Instance => instances[0]!;

  return {
    send: async (userId, command, cause, first) => {
      for (let attempt = first; ; attempt += 1) {
        try {
          await instances[attempt % count]!.handle(userId, command, cause);
          return undefined;
        } catch (error) {
          const mayWork = isDomainError(error)
            ? error.errorType === 'service_unavailable'
            : error instanceof StoreUnavailableError;
          if (!mayWork && isDomainError(error)) return error.errorType;
          if (!mayWork) throw error;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
    },
    replace,
    crashNode: async () => {
      process.kill(node.pid, 'SIGKILL');
      await node.exited;
      node = await startEventNode({ dataDir, port, args: ['--log-level', 'error'] });
    },
    lost: () => lost,
    store: () => one().store,
    pools: () => one().pools,
    caughtUp: async () => {
      const head = await one().store.head();
      if (head === undefined || (await one().projecting.waitFor(head, { timeoutMs: 30_000 }))) return;
      throw new Error('the read models do not catch up');
    },
    stop: async () => {
      await Promise.all([...dropping, ...instances.map((instance) => instance.drop())]);
      await node.stop();
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
};
