import { Agent, request as send } from 'node:http';

/** What a run of streamed requests came to. Times in milliseconds. */
export type Load = Readonly<{
  requestsPerSecond: number;
  firstByteP50: number;
  firstByteP99: number;
  totalP50: number;
  totalP99: number;
}>;

export type Target = Readonly<{ url: string; headers: Record<string, string>; body: string; mark: string }>;

type Timing = Readonly<{ first: number; total: number }>;

/** The time until the first content and until the end. Rejects unless the answer ends with the target's mark. */
const once = (target: Target, agent: Agent): Promise<Timing> =>
  new Promise((resolve, reject) => {
    const start = performance.now();
    const call = send(target.url, { method: 'POST', agent, headers: target.headers }, (response) => {
      let first = 0;
      let tail = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        if (first === 0 && piece.includes('"content"')) first = performance.now() - start;
        tail = (tail + piece).slice(-400);
      });
      response.on('end', () => {
        if (tail.includes(target.mark)) resolve({ first, total: performance.now() - start });
        else reject(new Error(`status ${response.statusCode}, the answer ends with ${tail}`));
      });
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(target.body);
  });

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/** Runs `count` requests, `concurrency` at a time, over kept connections. */
export const load = async (target: Target, concurrency: number, count: number): Promise<Load> => {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const timings: Timing[] = [];
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      timings.push(await once(target, agent));
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrency }, worker));
  const seconds = (performance.now() - start) / 1_000;
  agent.destroy();
  const firsts = timings.map(({ first }) => first).sort((a, b) => a - b);
  const totals = timings.map(({ total }) => total).sort((a, b) => a - b);
  return {
    requestsPerSecond: count / seconds,
    firstByteP50: percentile(firsts, 0.5),
    firstByteP99: percentile(firsts, 0.99),
    totalP50: percentile(totals, 0.5),
    totalP99: percentile(totals, 0.99),
  };
};
