import { readFileSync } from 'node:fs';
import { load, type Target } from './stream-load.ts';

/** What memory did while requests kept coming. Sizes in MiB. */
export type Soak = Readonly<{
  requests: number;
  seconds: number;
  /** Resident memory when a third of the time was over, so that caches and code are warm, and at the end. */
  rssWarm: number;
  rssEnd: number;
  /** Growth from then to the end, a thousand requests. */
  growthPer1000: number;
}>;

const rssOf = (pid: number): number => {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1024;
};

const CONCURRENCY = 32;
const A_ROUND = 500;

/** The lowest of the last few readings: what is left after the collector has been there. */
const lowest = (readings: readonly number[]): number => Math.min(...readings.slice(-5));

/** Keeps a server busy for `seconds` and watches its memory. */
export const soak = async (target: Target, pid: number, seconds: number): Promise<Soak> => {
  const start = performance.now();
  const passed = (): number => (performance.now() - start) / 1_000;
  const readings: number[] = [];
  let requests = 0;
  let warm: Readonly<{ rss: number; requests: number }> | undefined;
  while (passed() < seconds) {
    await load(target, CONCURRENCY, A_ROUND);
    requests += A_ROUND;
    readings.push(rssOf(pid));
    if (warm === undefined && passed() > seconds / 3) warm = { rss: lowest(readings), requests };
  }
  const rssEnd = lowest(readings);
  const rssWarm = warm?.rss ?? rssEnd;
  const since = Math.max(1, requests - (warm?.requests ?? 0));
  return { requests, seconds: passed(), rssWarm, rssEnd, growthPer1000: ((rssEnd - rssWarm) * 1_000) / since };
};
