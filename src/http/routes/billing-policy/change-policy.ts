import type { PolicyChanges } from '../../../../commands/billing-policy/billing-policy.state.ts';
import type { AskedPolicy, PolicyService } from '../../../../commands/billing-policy/policy-service.ts';
import type { Call } from '../../endpoint.ts';
import { revisionIn } from '../../admin-change.ts';

/** Where the policy is shown, and its revision with it. */
export const POLICY_PATH = '/api/admin/billing-policy';

/** Asks for a change on behalf of a call: its `If-Match` and `?reason=` count. */
export type PolicyChanger = (
  asked: AskedPolicy,
  call: Pick<Call<unknown, unknown>, 'header' | 'cause'>,
  reason?: string,
) => Promise<PolicyChanges>;

/** The changer over the write side. */
export const policyChanger =
  (service: Pick<PolicyService, 'change'>): PolicyChanger =>
  (asked, { header, cause }, reason) =>
    service.change(asked, { reason: reason ?? null, ifRevision: revisionIn(header('if-match'), POLICY_PATH) }, cause);
