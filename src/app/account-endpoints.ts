import type { Erasures } from '../../commands/erasure/erasures.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { deleteAccount } from '../http/routes/auth/delete-account.ts';
import { listErasures } from '../http/routes/auth/list-erasures.ts';
import { consentEndpoints } from '../http/routes/consent/index.ts';
import type { QueryRunner } from '../kernel/query.ts';
import type { WriteSide } from './write-side.ts';

type Deps = Readonly<{ write: WriteSide; queries: QueryRunner; erasures: Erasures }>;

/** What users agree to, and their leaving. */
export const accountEndpoints = ({ write, queries, erasures }: Deps): readonly Endpoint[] => [
  ...consentEndpoints({
    consents: write.consents,
    device: (deviceId) => write.devices.state(deviceId, { cached: true }),
    queries,
  }),
  deleteAccount(erasures),
  listErasures(queries),
];
