import type { Work } from '../../src/events/credit-account/credit-account.events.ts';
import type { Resolved } from '../../src/kernel/catalogue.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import type { Attempt, Job, Plan } from '../completions/plan.ts';
import { marginFor } from '../completions/policy.ts';
import { requestKeyOf } from './media-checks.ts';
import type { MediaDeps, MediaOrder } from './media-order.ts';

/** What only the kind of work knows of it. */
export type MediaWork = Readonly<{
  resolved: Resolved;
  /** Tokens of the file by our own count, for a provider that does not count. */
  promptTokens: number;
  estimate: MicroUsd;
  call: Attempt['call'];
}>;

type Kind = Pick<Work, 'kind' | 'taskType'>;

const planOf = ({ policy }: MediaDeps, order: MediaOrder, requestId: string, work: MediaWork & Kind): Plan => {
  const { resolved, promptTokens, estimate, call, kind, taskType } = work;
  const { model, provider, upstreamModel } = resolved;
  const { price, priceVersion } = model;
  return {
    requestId,
    userId: order.userId,
    modelId: model.id,
    work: { kind, taskType, modelId: model.id, provider: provider.code, priceVersion, streamed: order.streamed },
    price,
    promptTokens,
    estimate,
    margin: marginFor(policy, taskType, estimate),
    attempts: [{ provider: provider.code, model: upstreamModel, disconnect: provider.disconnect, call }],
  };
};

/** Work on a file as a job. `admit` checks what is asked for; it throws DomainErrors, and nothing is charged then. */
export const mediaJob = (
  deps: MediaDeps,
  order: MediaOrder,
  kind: Kind,
  admit: (requestId: string) => Promise<MediaWork>,
): Job => {
  const { userId, apiKey, streamed, keepUntil } = order;
  return {
    userId,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...requestKeyOf(order, kind.kind),
    streamed,
    keepUntil,
    plan: async (requestId) => planOf(deps, order, requestId, { ...(await admit(requestId)), ...kind }),
  };
};
