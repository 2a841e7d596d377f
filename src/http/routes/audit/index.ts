import { z } from 'zod';
import { DomainError } from '../../../kernel/errors.ts';
import type { Seal } from '../../../kernel/seal.ts';
import { adminEndpoint, json, type Endpoint } from '../../endpoint.ts';

type Deps = Readonly<{
  /** Undefined before the first. */
  newestSeal: () => Promise<Seal | undefined>;
  /** Throws the DomainErrors of `inclusionProof`. */
  proof: (stream: string, revision: bigint) => Promise<object>;
  /** The proofs of everything that began on a day. */
  proofsOf: (day: Date) => Promise<readonly object[]>;
}>;

const params: z.ZodType<Readonly<Record<string, string>>> = z.object({
  stream: z.string().regex(/^[A-Za-z]+-[\w.:-]{1,200}$/, 'must be the name of a stream'),
  revision: z.string().regex(/^\d{1,18}$/, 'must be a number, counted from 0'),
});

const dayParams: z.ZodType<Readonly<Record<string, string>>> = z.object({
  day: z.iso.date('must be a day, YYYY-MM-DD'),
});

/** What auditors ask for. Nothing here is personal: that is sealed inside the events. */
export const auditEndpoints = ({ newestSeal, proof, proofsOf }: Deps): readonly Endpoint[] => [
  adminEndpoint({
    method: 'GET',
    path: '/api/admin/audit/seals/latest',
    limit: 'read',
    handle: async () => {
      const seal = await newestSeal();
      if (seal === undefined) throw new DomainError('not_found', 'nothing is sealed yet');
      return json(200, seal);
    },
  }),
  adminEndpoint({
    method: 'GET',
    path: '/api/admin/audit/proofs/:stream/:revision',
    limit: 'read',
    params,
    handle: async ({ params: { stream = '', revision = '' } }) => json(200, await proof(stream, BigInt(revision))),
  }),
  adminEndpoint({
    method: 'GET',
    path: '/api/admin/audit/reconciliations/:day',
    limit: 'read',
    params: dayParams,
    handle: async ({ params: { day = '' } }) => json(200, { day, runs: await proofsOf(new Date(`${day}T00:00:00Z`)) }),
  }),
];
