import type { z } from 'zod';
import type { AskedChange, CatalogueService } from '../../../../commands/catalogue/catalogue-service.ts';
import { reasonQuery, revisionIn, revisionTag } from '../../admin-change.ts';
import { adminEndpoint, json, type Endpoint } from '../../endpoint.ts';

type Params = Readonly<Record<string, string>>;

type Spec<B> = Readonly<{
  method: 'POST' | 'PUT' | 'DELETE';
  path: string;
  params?: z.ZodType<Params>;
  body?: z.ZodType<B>;
  ask: (params: Params, body: B) => AskedChange;
}>;

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
      const ifRevision = revisionIn(call.header('if-match'), '/api/admin/catalogue');
      const note = { reason: call.query.reason ?? null, ifRevision };
      const { revision } = await service.change(ask(call.params, call.body), note, call.cause);
      return json(200, { revision }, revisionTag(revision));
    },
  });
};
