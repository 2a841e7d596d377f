import { z } from 'zod';
import type { AskedChange, CatalogueService } from '../../../../commands/catalogue/catalogue-service.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { adminEndpoint, json, type Endpoint } from '../../endpoint.ts';

type Params = Readonly<Record<string, string>>;

type Spec<B> = Readonly<{
  method: 'POST' | 'PUT' | 'DELETE';
  path: string;
  params?: z.ZodType<Params>;
  body?: z.ZodType<B>;
  ask: (params: Params, body: B) => AskedChange;
}>;

const reasonQuery = z.object({ reason: z.string().trim().min(1).max(500).optional() });

/** The revision that the caller has read; undefined when any will do. */
const revisionOf = (ifMatch: string | undefined): number | undefined => {
  if (ifMatch === undefined || ifMatch === '*') return undefined;
  const match = /^(?:W\/)?"(\d{1,15})"$/.exec(ifMatch);
  if (match !== null) return Number(match[1]);
  throw new DomainError('bad_request', 'If-Match takes the ETag of GET /api/admin/catalogue');
};

/** The names of states of the catalogue, for `ETag` and `If-Match`. */
export const revisionTag = (revision: number): Readonly<Record<string, string>> => ({ ETag: `"${revision}"` });

/**
 * An endpoint that asks for one change. `?reason=` is kept beside it; with `If-Match` it is refused with 412 when somebody
 * else was faster. It answers when this instance offers the change; the others follow within moments.
 */
export const changeEndpoint = <B = undefined>(service: CatalogueService, spec: Spec<B>): Endpoint => {
  const { method, path, params, body, ask } = spec;
  return adminEndpoint<B, z.output<typeof reasonQuery>>({
    ...{ method, path, limit: 'write', query: reasonQuery },
    ...(params === undefined ? {} : { params }),
    ...(body === undefined ? {} : { body }),
    handle: async (call) => {
      const note = { reason: call.query.reason ?? null, ifRevision: revisionOf(call.header('if-match')) };
      const { revision } = await service.change(ask(call.params, call.body), note, call.cause);
      return json(200, { revision }, revisionTag(revision));
    },
  });
};
