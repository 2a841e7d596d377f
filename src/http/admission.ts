import type { ApiKeyScope } from '../events/api-key/api-key.events.ts';
import { DomainError } from '../kernel/errors.ts';
import type { LimitStanding } from '../kernel/limiter.ts';
import type { EdgeContext, EdgeMiddleware } from './edge-state.ts';
import type { Caller, LimitScope } from './endpoint.ts';
import { credentialsOf } from './gate.ts';
import type { Gate } from './gate.ts';
import { refuseWhenOver } from './limits.ts';

const REMAINING = 'RateLimit-Remaining';

/** Tells the tightest of the limits that the call was counted under. */
const announce = (ctx: EdgeContext, standing: LimitStanding): void => {
  const told = ctx.res.getHeader(REMAINING);
  if (told !== undefined && standing.allowed && Number(told) <= standing.remaining) return;
  ctx.set({
    'RateLimit-Limit': standing.max.toString(),
    [REMAINING]: standing.remaining.toString(),
    'RateLimit-Reset': standing.resetSeconds.toString(),
  });
};

/** Counts the call for the client's address. */
export const admitAddress =
  (gate: Gate, scope: LimitScope): EdgeMiddleware =>
  async (ctx, next) => {
    const standing = await gate.countAddress(scope, ctx.state.ip);
    announce(ctx, standing);
    refuseWhenOver(standing, 'too many requests from this address');
    await next();
  };

/** Throws DomainError `forbidden` when the caller came with an API key that is not good for this. */
export const checkKeyScope = ({ apiKey }: Pick<Caller, 'apiKey'>, scope: ApiKeyScope | undefined): void => {
  if (apiKey === undefined) return;
  if (scope === undefined) throw new DomainError('forbidden', 'no API key may do this; sign in');
  if (apiKey.scopes.includes(scope)) return;
  throw new DomainError('forbidden', `this API key lacks the scope '${scope}'; make one that has it`, {
    details: { scope, scopes: apiKey.scopes },
  });
};

type Admitted = Readonly<{ access: 'user' | 'admin'; scope: ApiKeyScope | undefined }>;

/** Proves the caller, and what an administrator's role or an API key's scope must allow. */
export const authenticate =
  (gate: Gate, { access, scope }: Admitted, written: (path: string) => string): EdgeMiddleware =>
  async (ctx, next) => {
    const caller = await gate.prove(credentialsOf(ctx.req, written(ctx.path)), ctx.state.ip);
    ctx.state.caller = caller;
    checkKeyScope(caller, scope);
    if (access === 'admin' && caller.role !== 'admin') {
      throw new DomainError('forbidden', 'this needs the administrator role; ask an administrator');
    }
    await next();
  };

/** Counts the call for the user who was proven. */
export const admitUser =
  (gate: Gate, scope: LimitScope): EdgeMiddleware =>
  async (ctx, next) => {
    const standing = await gate.countUser(scope, ctx.state.caller?.userId ?? 'nobody');
    if (standing !== undefined) {
      announce(ctx, standing);
      refuseWhenOver(standing, 'too many requests from this user');
    }
    await next();
  };
