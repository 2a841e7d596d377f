// What it costs to build read models anew: at rest, and while the server is as busy as it can be; how much slower that is,
// and how much less is served meanwhile.
// Usage: npm run bench -- rebuild [requests in the log]
import { setTimeout as delay } from 'node:timers/promises';
import { runTool } from '../support/running-server.ts';
import { SHORT, startProduct } from './product.ts';
import { load, type Target } from './stream-load.ts';

const requests = Number(process.argv[2] ?? 8_000);
const AT_ONCE = 32;
const ROUND = 200;
/** What is served without a build is measured for so long, in milliseconds. */
const ALONE_MS = 10_000;
const SETTLE_MS = 1_000;
const NAMES = ['requests', 'usage', 'journal'] as const;

type Built = Readonly<{ seconds: number; eventsPerSecond: number }>;

const secondsSince = (start: number): number => (performance.now() - start) / 1_000;

/** Builds the read models anew, all together. */
const build = async (dataDir: string): Promise<Built> => {
  const start = performance.now();
  const all = await Promise.all(NAMES.map((name) => runTool(dataDir, 'projections', ['rebuild', name, '--json'])));
  const seconds = secondsSince(start);
  const events = all.reduce((sum, { code, stdout, stderr }) => {
    if (code !== 0) throw new Error(stderr);
    return sum + (JSON.parse(stdout) as { events: number }).events;
  }, 0);
  return { seconds, eventsPerSecond: events / seconds };
};

/** Keeps the product busy until it is told to end; `served` counts. */
const busy = (target: Target) => {
  let going = true;
  let served = 0;
  const work = async (): Promise<void> => {
    while (going) {
      await load(target, AT_ONCE, ROUND);
      served += ROUND;
    }
  };
  const over = work();
  /** Requests a second while something is done. */
  const during = async <T>(what: () => Promise<T>): Promise<Readonly<{ result: T; perSecond: number }>> => {
    const [start, before] = [performance.now(), served];
    const result = await what();
    return { result, perSecond: (served - before) / secondsSince(start) };
  };
  const end = (): Promise<void> => {
    going = false;
    return over;
  };
  return { during, end };
};

const product = await startProduct();
try {
  const { server } = product;
  const target = product.target(SHORT);
  await load(target, AT_ONCE, requests);
  await delay(SETTLE_MS);
  const atRest = await build(server.dataDir);
  const working = busy(target);
  const { perSecond: alone } = await working.during(() => delay(ALONE_MS));
  const { result: underLoad, perSecond: meanwhile } = await working.during(() => build(server.dataDir));
  await working.end();

  const say = (name: string, { seconds, eventsPerSecond }: Built): void =>
    console.log(`${name.padEnd(12)} ${seconds.toFixed(1)} s, ${eventsPerSecond.toFixed(0)} events a second`);
  console.log(`${NAMES.join(', ')} built anew, together, from ${requests} requests and those of the time measured:`);
  say('at rest', atRest);
  say('under load', underLoad);
  console.log(`served       ${alone.toFixed(0)} requests a second without, ${meanwhile.toFixed(0)} meanwhile`);
  const speed = underLoad.eventsPerSecond / atRest.eventsPerSecond;
  const served = meanwhile / alone;
  console.log(`  under load: ${speed.toFixed(2)} of the speed at rest; ${served.toFixed(2)} of the requests served`);
  console.log(JSON.stringify({ bench: 'rebuild', atRest, underLoad, alone, meanwhile, ratios: { speed, served } }));
} finally {
  await product.stop();
}
