// What the device link costs over a bare `ws` relay that hands each message to the other socket of its pair: the same
// messages over as many pairs through both, one after the other in turns, so that a slow moment of the machine meets both.
// A message is counted each time it is relayed, so a call and its answer are two. Usage: npm run bench -- relay [pairs] [ms a round]
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { median } from './contenders.ts';
import { openPairs, runLoad, type Kind, type Load, type Pair } from './relay-load.ts';

const PAIRS = Number(process.argv[2] ?? 2_000);
const ROUND_MS = Number(process.argv[3] ?? 3_000);
const ROUNDS = 3;
const KINDS: readonly Kind[] = ['calls', 'events', 'terminals'];
const KIB = 1024;

/** Bytes of a process, or KiB of a connection: resident in memory, and of objects that live. */
type Memory = Readonly<{ rss: number; heapUsed: number }>;

type Contender = Readonly<{
  name: string;
  isBare: boolean;
  url: string;
  memory: () => Promise<Memory>;
  stop: () => void;
}>;

const start = async (name: string, file: string, isBare: boolean): Promise<Contender> => {
  const child: ChildProcess = fork(join(import.meta.dirname, file), {
    execArgv: ['--disable-warning=ExperimentalWarning', '--expose-gc'],
  });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const path = isBare ? '' : '/ws/device-link';
  return {
    ...{ name, isBare, url: `ws://127.0.0.1:${port}${path}` },
    memory: async () => {
      child.send('memory');
      const [used] = (await once(child, 'message')) as [Memory];
      return used;
    },
    stop: () => void child.kill('SIGKILL'),
  };
};

const middle = (loads: readonly Load[]): Load => ({
  messagesPerSecond: median(loads.map((load) => load.messagesPerSecond)),
  p50: median(loads.map((load) => load.p50)),
  p99: median(loads.map((load) => load.p99)),
});

const line = (cells: readonly (string | number)[]): string =>
  cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(1) : cell).padStart(14)).join('');

const bare = await start('bare relay', 'bare-relay.ts', true);
const link = await start('device link', 'link-server.ts', false);
try {
  // A quarter is opened and used before the count: what a process has once, such as compiled code and room for short-lived
  // objects, is no connection's.
  const contenders = new Map<Contender, readonly Pair[]>();
  const idle = new Map<Contender, Memory>();
  for (const each of [bare, link]) {
    const first = await openPairs(each.url, Math.ceil(PAIRS / 4), each.isBare);
    await runLoad(first, 'calls', each.isBare, 3_000);
    const before = await each.memory();
    const rest = await openPairs(each.url, PAIRS - first.length, each.isBare);
    const after = await each.memory();
    const kib = (what: keyof Memory): number => (after[what] - before[what]) / (rest.length * 2) / KIB;
    idle.set(each, { rss: kib('rss'), heapUsed: kib('heapUsed') });
    contenders.set(each, [...first, ...rest]);
  }
  const resident = (each: Contender): number => idle.get(each)?.rss ?? 0;
  console.log(line(['', 'KiB a socket', 'kind', 'messages/s', 'p50 ms', 'p99 ms']));
  const result: Record<string, object> = {};
  const ratios: number[] = [];
  for (const kind of KINDS) {
    const loads = new Map<Contender, Load[]>([
      [bare, []],
      [link, []],
    ]);
    for (const [each, pairs] of contenders) await runLoad(pairs, kind, each.isBare, 1_000);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [each, pairs] of contenders) loads.get(each)?.push(await runLoad(pairs, kind, each.isBare, ROUND_MS));
    }
    const [plain, whole] = [middle(loads.get(bare) ?? []), middle(loads.get(link) ?? [])];
    for (const [each, load] of [
      [bare, plain],
      [link, whole],
    ] as const) {
      console.log(line([each.name, resident(each), kind, load.messagesPerSecond, load.p50, load.p99]));
    }
    const ratio = whole.messagesPerSecond / plain.messagesPerSecond;
    ratios.push(ratio);
    result[kind] = { bare: plain, link: whole, ratio, p99Ratio: whole.p99 / plain.p99 };
  }
  console.log(
    JSON.stringify({
      ...{ bench: 'relay', pairs: PAIRS, rounds: ROUNDS, ratio: ratios[0], lowestRatio: Math.min(...ratios) },
      idleKib: { bare: idle.get(bare), link: idle.get(link), above: resident(link) - resident(bare) },
      result,
    }),
  );
} finally {
  bare.stop();
  link.stop();
}
process.exit(0);
