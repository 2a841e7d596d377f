/** Network failures by Node's name, and the states of a Postgres that is away, starting, stopping or full. */
const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  '53300',
  '57P01',
  '57P02',
  '57P03',
]);

/** pg reports a lost or missing connection of its own by message alone. */
const AWAY_MESSAGES = [
  'Connection terminated',
  'Client has encountered a connection error',
  'timeout exceeded when trying to connect',
  'Cannot use a pool after calling end on the pool',
];

const textOf = (error: Error, name: 'code' | 'tag'): string => {
  const value = (error as Error & Partial<Record<'code' | 'tag', unknown>>)[name];
  return typeof value === 'string' ? value : '';
};

const saysAway = (error: Error): boolean => {
  const code = textOf(error, 'code');
  if (AWAY.has(code) || /^08\w{3}$/.test(code)) return true;
  if (textOf(error, 'tag').endsWith('UnavailableError')) return true;
  return AWAY_MESSAGES.some((message) => error.message.startsWith(message));
};

/** How deep causes are followed; one that is its own cause must not hold the request. */
const MAX_DEPTH = 6;

/** True when a part that we depend on did not answer: the same request can succeed later, so that it is no 500. */
export const isUnavailable = (thrown: unknown, depth = 0): boolean => {
  if (!(thrown instanceof Error) || depth > MAX_DEPTH) return false;
  if (saysAway(thrown)) return true;
  const inner: readonly unknown[] = thrown instanceof AggregateError ? thrown.errors : [];
  return [thrown.cause, ...inner].some((error) => isUnavailable(error, depth + 1));
};
