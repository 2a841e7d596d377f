import { readBody } from './body.ts';
import { causeOf, type CauseDeps } from './cause.ts';
import type { EdgeContext } from './edge-state.ts';
import type { Call, Endpoint } from './endpoint.ts';
import type { MediaForm } from '../kernel/media-upstream.ts';
import type { FormSpec } from './form/form.ts';
import { readForm } from './form/read-form.ts';
import type { Spool } from './form/spool.ts';
import { readJson } from './json-body.ts';
import type { Room } from './room.ts';
import { validated, validatedBody } from './validation.ts';

export type CallDeps = CauseDeps &
  Readonly<{
    bodyTimeoutMs: number;
    /** Where the files of forms go. */
    spool: Spool;
    /** Bounds what is in memory of bodies, and on disk of forms. */
    rooms: Readonly<{ bodies: Room; forms: Room }>;
  }>;

const DEFAULT_BODY_BYTES = 1024 * 1024;

type KeepUntil = Call<unknown, unknown>['keepUntil'];

/** What a request holds until it is handled, and until the work is over that it has begun. */
type Holding = Readonly<{ keepUntil: KeepUntil; until: (letGo: () => unknown) => void }>;

const holding = (ctx: EdgeContext): Holding => {
  const work: Promise<unknown>[] = [];
  return {
    keepUntil: (over) => void work.push(over),
    until: (letGo) => {
      ctx.state.discard = () => {
        if (work.length === 0) letGo();
        else void Promise.allSettled(work).then(letGo);
      };
    },
  };
};

/** Bytes of a body, and of what is made of it, which lives as long as the work. */
const shareOf = (room: Room, ctx: EdgeContext, { until }: Holding) => {
  const share = room(ctx.state.caller?.userId ?? ctx.state.ip);
  until(share.giveBack);
  return share;
};

const formOf = async (
  { spool, rooms, bodyTimeoutMs: timeoutMs }: CallDeps,
  form: FormSpec,
  ctx: EdgeContext,
  held: Holding,
): Promise<MediaForm> => {
  const { grow, giveBack } = shareOf(rooms.forms, ctx, held);
  const parts = await readForm(ctx.req, ctx.res, form, { spool, timeoutMs, grow });
  held.until(() => parts.discard().finally(giveBack));
  return { file: parts.file(), texts: parts.texts() };
};

const bodyOf = async (deps: CallDeps, { spec }: Endpoint, ctx: EdgeContext, held: Holding) => {
  if (spec.form !== undefined) return formOf(deps, spec.form, ctx, held);
  const maxBytes = spec.maxBodyBytes ?? DEFAULT_BODY_BYTES;
  if (spec.rawBody === true) {
    const { grow } = shareOf(deps.rooms.bodies, ctx, held);
    return readBody(ctx.req, ctx.res, { maxBytes, timeoutMs: deps.bodyTimeoutMs, grow });
  }
  if (spec.body === undefined) return undefined;
  const limits = {
    maxBytes,
    timeoutMs: deps.bodyTimeoutMs,
    anyText: spec.anyText ?? false,
    grow: shareOf(deps.rooms.bodies, ctx, held).grow,
  };
  return validatedBody(spec.body, await readJson(ctx.req, ctx.res, limits));
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
  const held = holding(ctx);
  const body = await bodyOf(deps, endpoint, ctx, held);
  return {
    body,
    query,
    params,
    cause: causeOf(deps, ctx.state),
    requestId: ctx.state.requestId,
    ip: ctx.state.ip,
    header: (name) => {
      const values = ctx.req.headersDistinct[name];
      return values?.length === 1 ? values[0] : undefined;
    },
    gone: ctx.state.gone,
    keepUntil: held.keepUntil,
  };
};
