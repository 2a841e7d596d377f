import type { ServerResponse } from 'node:http';
import { isoOf } from '../kernel/clock.ts';
import type { Clock } from '../kernel/clock.ts';
import { isUuid, uuidOf } from '../kernel/ids.ts';
import type { Actor, Cause } from '../kernel/message.ts';
import type { EdgeContext } from './edge-state.ts';
import type { Call, Caller, Endpoint } from './endpoint.ts';
import { readJson } from './json-body.ts';
import { validated, validatedBody } from './validation.ts';

export type CallDeps = Readonly<{
  clock: Clock;
  /** Keyed hash of an address, as event metadata carries it; absent: none is written. */
  hashAddress?: (ip: string) => string;
  bodyTimeoutMs: number;
}>;

const DEFAULT_BODY_BYTES = 1024 * 1024;

const actorOf = (caller: Caller | undefined): Actor =>
  caller === undefined ? { kind: 'system', id: 'system' } : { kind: caller.role, id: caller.userId };

const causeOf = (deps: CallDeps, { state }: EdgeContext): Cause => {
  const { requestId, caller, ip } = state;
  // Correlation ids are UUIDs for everyone who stores them; a caller's own id may be any text.
  const correlationId = isUuid(requestId) ? requestId : uuidOf(`request|${requestId}`);
  return {
    at: isoOf(deps.clock()),
    correlationId,
    causationId: correlationId,
    actor: actorOf(caller),
    requestId,
    ...(caller === undefined ? {} : { sessionId: caller.sessionId }),
    ...(caller?.deviceId === undefined ? {} : { deviceId: caller.deviceId }),
    ...(deps.hashAddress === undefined ? {} : { ipHash: deps.hashAddress(ip) }),
  };
};

const bodyOf = async (deps: CallDeps, { spec }: Endpoint, ctx: EdgeContext, response: ServerResponse) => {
  if (spec.body === undefined) return undefined;
  const limits = {
    maxBytes: spec.maxBodyBytes ?? DEFAULT_BODY_BYTES,
    timeoutMs: deps.bodyTimeoutMs,
    anyText: spec.anyText ?? false,
  };
  return validatedBody(spec.body, await readJson(ctx.req, response, limits));
};

/** Reads and checks everything that an endpoint asks for. Throws DomainErrors. */
export const callOf = async (
  deps: CallDeps,
  endpoint: Endpoint,
  ctx: EdgeContext,
  rawParams: Readonly<Record<string, string>>,
): Promise<Call<unknown, unknown>> => {
  const { spec } = endpoint;
  const params = spec.params === undefined ? rawParams : validated('path', spec.params, rawParams);
  const query = spec.query === undefined ? undefined : validated('query', spec.query, { ...ctx.query });
  const body = await bodyOf(deps, endpoint, ctx, ctx.res);
  return {
    body,
    query,
    params,
    cause: causeOf(deps, ctx),
    requestId: ctx.state.requestId,
    ip: ctx.state.ip,
    header: (name) => {
      const values = ctx.req.headersDistinct[name];
      return values?.length === 1 ? values[0] : undefined;
    },
    gone: ctx.state.gone,
  };
};
