import type { WriteOutcome } from './streams/stream-writer.ts';
import type { EventStore } from './streams/event-store.ts';

const bucketBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** What the node counts about itself. */
export type Metrics = {
  /** Counts an append and how long it took, in seconds. */
  appended: (result: WriteOutcome['kind'] | 'refused', seconds: number) => void;
  /** Counts a read that ended. */
  read: (target: 'all' | 'stream') => void;
  /** Counts a message handed to a reader. */
  sent: () => void;
  /** Counts a subscription as open until the returned function is called. */
  subscribed: () => () => void;
  /** Everything in the text format of Prometheus. */
  text: () => string;
};

const line = (name: string, value: number, labels = ''): string => `event_node_${name}${labels} ${value}`;
const header = (name: string, type: string, help: string): string[] => [
  `# HELP event_node_${name} ${help}`,
  `# TYPE event_node_${name} ${type}`,
];
const single = (name: string, type: string, help: string, value: number): string[] => [
  ...header(name, type, help),
  line(name, value),
];
const byLabel = (name: string, help: string, label: string, counts: ReadonlyMap<string, number>): string[] => [
  ...header(name, 'counter', help),
  ...[...counts].map(([key, value]) => line(name, value, `{${label}="${key}"}`)),
];

/** Metrics of a store, counted from now on. */
export const createMetrics = (store: EventStore): Metrics => {
  const appends = new Map<string, number>();
  const reads = new Map<string, number>();
  const buckets = bucketBounds.map(() => 0);
  let seconds = 0;
  let count = 0;
  let commits = 0;
  let events = 0;
  let subscriptions = 0;
  let messages = 0;
  store.log.watch({
    onStored: (entries) => {
      commits += 1;
      events += entries.length;
    },
  });
  const histogram = (): string[] => [
    ...header('append_seconds', 'histogram', 'Time from the last byte of an append to its answer.'),
    ...bucketBounds.map((bound, at) => line('append_seconds_bucket', buckets[at] ?? 0, `{le="${bound}"}`)),
    line('append_seconds_bucket', count, '{le="+Inf"}'),
    line('append_seconds_sum', seconds),
    line('append_seconds_count', count),
  ];
  return {
    appended: (result, duration) => {
      appends.set(result, (appends.get(result) ?? 0) + 1);
      count += 1;
      seconds += duration;
      bucketBounds.forEach((bound, at) => {
        if (duration <= bound) buckets[at] = (buckets[at] ?? 0) + 1;
      });
    },
    read: (target) => reads.set(target, (reads.get(target) ?? 0) + 1),
    sent: () => (messages += 1),
    subscribed: () => {
      subscriptions += 1;
      return () => (subscriptions -= 1);
    },
    text: () =>
      [
        ...byLabel('appends_total', 'Appends answered, by result.', 'result', appends),
        ...byLabel('reads_total', 'Reads answered, by target.', 'target', reads),
        ...histogram(),
        ...single('commits_total', 'counter', 'Transactions made safe on disk.', commits),
        ...single('events_stored_total', 'counter', 'Events made safe on disk.', events),
        ...single('messages_sent_total', 'counter', 'Messages handed to readers.', messages),
        ...single('subscriptions', 'gauge', 'Subscriptions open.', subscriptions),
        ...single('log_position', 'gauge', 'Last position safe on disk.', store.log.stored()),
        ...single('index_lag_events', 'gauge', 'Events the index file is behind the log.', store.index.lag()),
        ...single('resident_memory_bytes', 'gauge', 'Resident memory.', process.memoryUsage.rss()),
        '',
      ].join('\n'),
  };
};
