import { memoryLimiter } from '../../infra/ephemeral/memory-limiter.ts';
import type { Authenticator } from '../../src/http/authenticator.ts';
import type { Caller, Endpoint } from '../../src/http/endpoint.ts';
import { buildHttp } from '../../src/http/http.ts';
import type { HttpOptions } from '../../src/http/http.ts';
import { serve } from '../../src/http/server.ts';
import type { ServeOptions, Serving } from '../../src/http/server.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { silentLogger } from '../../src/kernel/logger.ts';

/** The caller that `Bearer ada` proves. */
export const ada: Caller = {
  userId: '0b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f',
  sessionId: '1b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f',
  jti: '2b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f',
  deviceId: undefined,
  role: 'user',
  email: 'ada@example.test',
  tokenExpiresAt: 4_102_444_800,
};

/** The caller that `Bearer grace` proves. */
export const grace: Caller = { ...ada, userId: '9b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f', role: 'admin' };

/** Knows the two callers by name; anybody else is refused. */
export const byName: Authenticator = ({ authorization }) => {
  if (authorization === 'Bearer ada') return Promise.resolve(ada);
  if (authorization === 'Bearer grace') return Promise.resolve(grace);
  return Promise.reject(new DomainError('authentication_error', 'the token is not valid; sign in again'));
};

export type HttpUnderTest = Readonly<{
  url: string;
  serving: Serving;
  http: ReturnType<typeof buildHttp>;
  close: () => Promise<void>;
}>;

/** The real HTTP edge on a free port, with these endpoints behind it. */
export const startHttp = async (
  endpoints: readonly Endpoint[],
  options: Partial<HttpOptions & ServeOptions> = {},
): Promise<HttpUnderTest> => {
  const http = buildHttp({
    authenticator: byName,
    limiter: memoryLimiter(),
    logger: silentLogger,
    clock: () => new Date(),
    corsOrigins: ['*'],
    trustedProxies: 0,
    ...options,
    endpoints,
  });
  const { refusalHeaders } = http;
  const serving = await serve(http.app.callback(), { host: '127.0.0.1', port: 0, refusalHeaders, ...options });
  return { url: serving.url, serving, http, close: () => serving.stop(0) };
};
