import type { ServerResponse } from 'node:http';
import { isoOf } from '../kernel/clock.ts';
import type { Clock } from '../kernel/clock.ts';
import { isUuid, uuidOf } from '../kernel/ids.ts';
import type { Actor, Cause } from '../kernel/message.ts';
import type { EdgeContext } from './edge-state.ts';
import type { Call, Caller, Endpoint } from './endpoint.ts';
import type { Form, FormSpec } from './form/form.ts';
import { readForm } from './form/read-form.ts';
import type { Spool } from './form/spool.ts';
import { readJson } from './json-body.ts';
import { validated, validatedBody } from './validation.ts';

export type CallDeps = Readonly<{
  clock: Clock;
  /** Keyed hash of an address, as event metadata carries it; absent: none is written. */
  hashAddress?: (ip: string) => string;
  bodyTimeoutMs: number;
  /** Where the files of forms go. */
  spool: Spool;
}>;

const DEFAULT_BODY_BYTES = 1024 * 1024;

/** For what an API key did its own id is told: whose it is, the stream or the event says. */
const actorOf = (caller: Caller | undefined): Actor => {
  if (caller === undefined) return { kind: 'system', id: 'system' };
  const { apiKey, role, userId } = caller;
  return apiKey === undefined ? { kind: role, id: userId } : { kind: 'apiKey', id: apiKey.keyId };
};

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
    ...(caller === undefined || caller.apiKey !== undefined ? {} : { sessionId: caller.sessionId }),
    ...(caller?.deviceId === undefined ? {} : { deviceId: caller.deviceId }),
    ...(deps.hashAddress === undefined ? {} : { ipHash: deps.hashAddress(ip) }),
  };
};

const formOf = async (
  { spool, bodyTimeoutMs: timeoutMs }: CallDeps,
  form: FormSpec,
  ctx: EdgeContext,
  response: ServerResponse,
): Promise<Form> => {
  const parts = await readForm(ctx.req, response, form, { spool, timeoutMs });
  const needed: Promise<unknown>[] = [];
  ctx.state.discard = () => void Promise.allSettled(needed).then(parts.discard);
  return { file: parts.file(), texts: parts.texts(), keepUntil: (settled) => void needed.push(settled) };
};

const bodyOf = async (deps: CallDeps, { spec }: Endpoint, ctx: EdgeContext, response: ServerResponse) => {
  if (spec.form !== undefined) return formOf(deps, spec.form, ctx, response);
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
