// What the whole product costs over a bare proxy: the same streamed completion through both, one after the other in turns,
// so that a slow moment of the machine meets both; short answers, which show what a request costs, longer ones, which show
// what a chunk costs, and the average answer of the model. Then it is kept busy while its memory is watched.
// Usage: npm run bench -- proxy [requests a round] [seconds to keep it busy]
import { setTimeout as delay } from 'node:timers/promises';
import { loadCatalogue } from '../../infra/catalogue/load-catalogue.ts';
import { freePort } from '../support/free-port.ts';
import { cpuOf, cpuPerRequest, type ProcessCpu } from './process-cpu.ts';
import { asking, MODEL, program, SHORT, startProduct } from './product.ts';
import { soak } from './soak.ts';
import { load, type Load, type Target } from './stream-load.ts';

const ROUNDS = 3;
const perRound = Number(process.argv[2] ?? 1_500);
const busySeconds = Number(process.argv[3] ?? 180);
/** How long the model's answers are on average, in tokens. This provider sends a chunk for each. */
const averageAnswer = (): number => {
  const model = loadCatalogue({ embedded: false }).models.find(({ id }) => id === MODEL);
  if (model?.estimation === undefined) throw new Error(`the catalogue does not tell how long answers of ${MODEL} are`);
  return model.estimation.avgOutputTokens;
};

/** So many requests at once, for answers of so many chunks: a few words, a paragraph, a page, the average. */
const CASES = [
  { concurrency: 1, chunks: SHORT },
  { concurrency: 32, chunks: SHORT },
  { concurrency: 32, chunks: 100 },
  { concurrency: 32, chunks: 300 },
  { concurrency: 32, chunks: averageAnswer() },
] as const;

type Case = (typeof CASES)[number];

/** `cpu`: milliseconds of processor time a request through the product. */
type Row = Case & Readonly<{ bare: Load; product: Load; cpu: ProcessCpu }>;

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const middleOf = (rounds: readonly Load[]): Load => {
  const of = (pick: (round: Load) => number): number => middle(rounds.map(pick));
  return {
    requestsPerSecond: of((round) => round.requestsPerSecond),
    firstByteP50: of((round) => round.firstByteP50),
    firstByteP99: of((round) => round.firstByteP99),
    totalP50: of((round) => round.totalP50),
    totalP99: of((round) => round.totalP99),
  };
};

/** What read models have not written yet is written, and counted, before the next reading. */
const SETTLE_MS = 500;

const measure = async (one: Case, bare: Target, product: Target, pid: number): Promise<Row> => {
  const { concurrency, chunks } = one;
  const count = Math.max(4 * concurrency, Math.ceil((perRound * SHORT) / chunks / (concurrency === 1 ? 3 : 1)));
  const rounds: (Readonly<{ bare: Load; product: Load }> & ProcessCpu)[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const plain = await load(bare, concurrency, count);
    const before = cpuOf(pid);
    const whole = await load(product, concurrency, count);
    await delay(SETTLE_MS);
    rounds.push({ bare: plain, product: whole, ...cpuPerRequest(before, cpuOf(pid), count) });
  }
  const cpu = (part: keyof ProcessCpu): number => middle(rounds.map((round) => round[part]));
  return {
    ...one,
    bare: middleOf(rounds.map((round) => round.bare)),
    product: middleOf(rounds.map((round) => round.product)),
    cpu: { app: cpu('app'), eventNode: cpu('eventNode'), postgres: cpu('postgres'), other: cpu('other') },
  };
};

const line = (cells: readonly (string | number)[]): string =>
  cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(1) : cell).padStart(12)).join('');

const ms = (value: number): string => `${value.toFixed(2)} ms`;

const print = ({ concurrency, chunks, bare, product, cpu }: Row): void => {
  const cells = (name: string, one: Load): string =>
    line([
      ...[name, String(concurrency), String(chunks), one.requestsPerSecond, one.firstByteP50, one.firstByteP99],
      ...[one.totalP50, one.totalP99],
    ]);
  console.log(cells('bare proxy', bare));
  console.log(cells('product', product));
  const ratio = product.requestsPerSecond / bare.requestsPerSecond;
  const added = product.firstByteP50 - bare.firstByteP50;
  console.log(
    `  ${concurrency} at once, ${chunks} chunks: ratio ${ratio.toFixed(2)}, first byte ${ms(added)} later; processor time a request: ` +
      `app ${ms(cpu.app)}, event node ${ms(cpu.eventNode)}, Postgres ${ms(cpu.postgres)}, other ${ms(cpu.other)}`,
  );
};

const product = await startProduct();
try {
  const { server, upstream } = product;
  const barePort = String(await freePort());
  const bareProxy = await program('bare-proxy.ts', barePort, upstream);
  try {
    const targets = (chunks: number): readonly [Target, Target] => [
      { url: `http://127.0.0.1:${barePort}/`, ...asking(chunks), mark: '[DONE]' },
      product.target(chunks),
    ];
    for (const target of targets(SHORT)) await load(target, 32, 600);
    console.log(line(['', 'concurrency', 'chunks', 'requests/s', 'first p50', 'first p99', 'total p50', 'total p99']));
    const rows: Row[] = [];
    for (const one of CASES) {
      const row = await measure(one, ...targets(one.chunks), server.pid);
      print(row);
      rows.push(row);
    }
    const memory = await soak(targets(SHORT)[1], server.pid, busySeconds);
    console.log(
      `${memory.requests} requests in ${memory.seconds.toFixed(0)} s: ${memory.rssWarm.toFixed(0)} MiB when warm, ` +
        `${memory.rssEnd.toFixed(0)} MiB at the end, ${memory.growthPer1000.toFixed(3)} MiB a thousand requests`,
    );
    const result = rows.map(({ concurrency, chunks, bare: plain, product: whole, cpu }) => ({
      concurrency,
      chunks,
      bare: plain,
      product: whole,
      ratio: whole.requestsPerSecond / plain.requestsPerSecond,
      cpuMsPerRequest: cpu,
      addedP50Ms: whole.totalP50 - plain.totalP50,
      addedFirstByteP50Ms: whole.firstByteP50 - plain.firstByteP50,
    }));
    console.log(JSON.stringify({ bench: 'proxy', rounds: ROUNDS, result, memory }));
  } finally {
    bareProxy.kill();
  }
} finally {
  await product.stop();
}
