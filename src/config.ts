import { getHeapStatistics } from 'node:v8';
import { z } from 'zod';

const whole = (fallback: number, min = 0): z.ZodType<number, string | undefined> =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min, `must be at least ${min}`)
    .optional()
    .transform((value) => value ?? fallback);

const MOST_PORT = 65_535;
const port = (fallback: number) =>
  whole(fallback).refine((value) => value <= MOST_PORT, `must be at most ${MOST_PORT}`);

const list = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  )
  .optional();

const flag = z
  .enum(['0', '1', 'true', 'false'])
  .optional()
  .transform((value) => value === '1' || value === 'true');
const url = z.url().optional();
const hexKey = z
  .string()
  .regex(/^[0-9a-f]{64}$/i, 'must be 64 hex digits (32 bytes)')
  .optional();
const roles = ['web', 'projections', 'jobs'] as const;

/** A body is there as bytes, as text and as values: with a quarter of the heap, bodies leave half of it to everything else. */
const BODY_MIB = Math.max(16, Math.min(512, Math.floor(getHeapStatistics().heap_size_limit / 4 / 1024 / 1024)));

/** Every variable the server reads. `docs/configuration.md` explains each. */
const schema = z.object({
  NODE_ENV: z.string().optional(),
  HOST: z.string().default('127.0.0.1'),
  PORT: port(8080),
  PUBLIC_URL: url,
  DATA_DIR: z.string().default('.data'),
  JOIN: z.string().optional(),
  ROLES: list,
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  EVENTSTORE_URL: z
    .string()
    .regex(/^(esdb|kurrentdb)(\+discover)?:\/\//, 'must be an esdb:// connection string')
    .optional(),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL')
    .optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must be a redis:// URL')
    .optional(),
  EVENT_NODE_PORT: port(0),
  ISSUER_PORT: port(0),
  SANDBOX_PORT: port(0),
  PAYMENTS_PORT: port(0),
  STRIPE_SECRET_KEY: z
    .string()
    .regex(/^(?:sk|rk)_(?:live|test)_\w+$/, 'must be a secret key of Stripe')
    .optional(),
  STRIPE_WEBHOOK_SECRET: z.string().min(1).optional(),
  STRIPE_PUBLISHABLE_KEY: z.string().min(1).optional(),
  STRIPE_API_BASE: url,
  STRIPE_PORTAL_RETURN_URL: url,
  AUTH0_DOMAIN: z
    .string()
    .regex(/^[a-z0-9.-]+$/i, 'must be a host name')
    .optional(),
  AUTH0_API_AUDIENCE: z.string().optional(),
  AUTH0_CLIENT_IDS: list,
  AUTH0_REDIRECT_URIS: list,
  AUTH0_ROLE_CLAIM: z.string().optional(),
  WEBSITE_BASE_URL: url,
  JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  JWT_ACCESS_TOKEN_DURATION_DAYS: whole(1, 1),
  SESSION_MAX_DAYS: whole(30, 1),
  IDENTITY_HASH_KEY: hexKey,
  VAULT_MASTER_KEY: hexKey,
  AUDIT_SIGNING_KEY: hexKey,
  OPENAI_API_KEY: z.string().min(1).optional(),
  OPENAI_BASE_URL: url,
  ANTHROPIC_API_KEY: z.string().min(1).optional(),
  ANTHROPIC_BASE_URL: url,
  GOOGLE_API_KEY: z.string().min(1).optional(),
  GOOGLE_API_KEYS: list,
  GOOGLE_BASE_URL: url,
  XAI_API_KEY: z.string().min(1).optional(),
  XAI_BASE_URL: url,
  OPENROUTER_API_KEY: z.string().min(1).optional(),
  OPENROUTER_BASE_URL: url,
  CORS_ORIGINS: list,
  TRUSTED_PROXIES: whole(0),
  API_VERSIONING: flag,
  DEPLOYMENT_COLOR: z.string().default('none'),
  VIBE_DEPLOYMENT_TOKEN: z.string().min(1).optional(),
  RATE_LIMIT_WINDOW_MS: whole(60_000, 1000),
  RATE_LIMIT_MAX_REQUESTS: whole(600, 1),
  ACCOUNT_CREATION_RATE_LIMIT_WINDOW_MS: whole(3_600_000, 1000),
  ACCOUNT_CREATION_RATE_LIMIT_MAX_REQUESTS: z.string().regex(/^\d+$/).transform(Number).optional(),
  FREE_CREDITS_AMOUNT: z
    .string()
    .regex(/^\d{1,9}(\.\d{1,6})?$/, 'must be an amount in USD with at most six decimals')
    .default('2.00'),
  FREE_CREDITS_EXPIRY_DAYS: whole(180, 1),
  MAX_CONCURRENT_STREAMS_PER_USER: whole(64, 1),
  UPSTREAM_MAX_CONCURRENT: whole(512, 1),
  UPSTREAM_MAX_QUEUED: whole(512),
  UPSTREAM_QUEUE_WAIT_MS: whole(3_000),
  MAX_BODY_MIB_IN_FLIGHT: whole(BODY_MIB, 1),
  VIDEO_MAX_MIB: whole(2_048, 1),
  UPLOAD_MIB_IN_FLIGHT: whole(8_192, 1),
  UPLOAD_DIR: z.string().optional(),
  IDEMPOTENCY_HOURS: whole(24, 1),
  RESUME_SECONDS: whole(30, 1),
  HOLD_LEASE_SECONDS: whole(30, 5),
  SERVER_REGIONS: z.string().optional(),
  CDN_BASE_URL: url,
  APNS_TEAM_ID: z.string().min(1).optional(),
  APNS_KEY_ID: z.string().min(1).optional(),
  APNS_PRIVATE_KEY: z.string().includes('PRIVATE KEY', 'must be a private key in PEM').optional(),
  APNS_BUNDLE_ID: z.string().min(1).optional(),
  APNS_PRODUCTION: flag,
  APNS_BASE_URL: url,
  SHUTDOWN_GRACE_SECONDS: whole(20, 1),
});

type Env = z.output<typeof schema>;
type Role = (typeof roles)[number];

/** One region of the public list. */
export type Region = Readonly<{ label: string; url: string; isDefault: boolean }>;

/** The configuration, checked and frozen. Absent parts are run embedded. */
export type Config = Readonly<Omit<Env, 'ROLES' | 'SERVER_REGIONS'>> &
  Readonly<{
    roles: readonly Role[];
    production: boolean;
    regions: readonly Region[];
  }>;

const regionsSchema = z.array(z.object({ label: z.string(), url: z.url(), isDefault: z.boolean().default(false) }));

const parseRegions = (text: string | undefined, faults: string[]): readonly Region[] => {
  if (text === undefined) return [];
  try {
    return regionsSchema.parse(JSON.parse(text));
  } catch {
    faults.push('SERVER_REGIONS: must be a JSON array of {"label", "url", "isDefault"}');
    return [];
  }
};

const NEEDED_IN_PRODUCTION = [
  'EVENTSTORE_URL',
  'DATABASE_URL',
  'AUTH0_DOMAIN',
  'AUTH0_API_AUDIENCE',
  'JWT_SECRET',
  'IDENTITY_HASH_KEY',
  'VAULT_MASTER_KEY',
] as const;

const NEEDED_FOR_PUSH = ['APNS_TEAM_ID', 'APNS_KEY_ID', 'APNS_PRIVATE_KEY', 'APNS_BUNDLE_ID'] as const;

/** All of them or none: with a part of them nothing could ever be sent, and nobody would know why. */
const checkPush = (env: Env, faults: string[]): void => {
  const missing = NEEDED_FOR_PUSH.filter((name) => env[name] === undefined);
  if (missing.length === NEEDED_FOR_PUSH.length) return;
  for (const name of missing)
    faults.push(`${name}: is needed for push notifications, with ${NEEDED_FOR_PUSH.join(', ')}`);
};

const checkPayments = (env: Env, faults: string[]): void => {
  if (env.STRIPE_SECRET_KEY === undefined || env.STRIPE_WEBHOOK_SECRET !== undefined) return;
  faults.push('STRIPE_WEBHOOK_SECRET: is needed with STRIPE_SECRET_KEY; without it nothing that is paid is credited');
};

const parseRoles = (given: readonly string[] | undefined, faults: string[]): readonly Role[] => {
  const unknown = (given ?? []).filter((name) => !(roles as readonly string[]).includes(name));
  if (unknown.length > 0) faults.push(`ROLES: unknown ${unknown.join(', ')}; known are ${roles.join(', ')}`);
  return given === undefined || given.length === 0 ? roles : roles.filter((role) => given.includes(role));
};

/** The configuration was wrong; the message lists every fault with its variable. */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(`The configuration has ${faults.length === 1 ? 'a fault' : 'faults'}:\n  ${faults.join('\n  ')}`);
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** Reads the environment. Throws one ConfigError that lists every fault. Empty variables count as absent. */
export const parseConfig = (env: Readonly<Record<string, string | undefined>>): Config => {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  }
  const { ROLES, SERVER_REGIONS, ...rest } = parsed.data;
  const faults: string[] = [];
  const production = rest.NODE_ENV === 'production';
  if (production) {
    for (const name of NEEDED_IN_PRODUCTION) {
      if (rest[name] === undefined) faults.push(`${name}: is needed when NODE_ENV is production`);
    }
  }
  if (rest.AUTH0_DOMAIN !== undefined && rest.AUTH0_API_AUDIENCE === undefined) {
    faults.push('AUTH0_API_AUDIENCE: is needed with AUTH0_DOMAIN');
  }
  if (rest.AUTH0_DOMAIN !== undefined && (rest.AUTH0_CLIENT_IDS ?? []).length === 0) {
    faults.push('AUTH0_CLIENT_IDS: is needed with AUTH0_DOMAIN; without it every login is refused');
  }
  checkPush(parsed.data, faults);
  checkPayments(rest, faults);
  const config = {
    ...rest,
    roles: parseRoles(ROLES, faults),
    production,
    regions: parseRegions(SERVER_REGIONS, faults),
  };
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(config);
};
