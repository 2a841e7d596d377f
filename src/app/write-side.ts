import { setTimeout as delay } from 'node:timers/promises';
import { completionCancelAggregate } from '../../commands/completion-cancels/index.ts';
import { auditAnchorAggregate } from '../../commands/audit-anchor/index.ts';
import { apiKeyAggregate } from '../../commands/api-keys/index.ts';
import { autoTopOffAggregate } from '../../commands/auto-top-off/index.ts';
import { billingProfileAggregate, stripeCustomerAggregate } from '../../commands/billing-profile/index.ts';
import { noticeAggregate } from '../../commands/payment-notices/index.ts';
import { purchaseAggregate } from '../../commands/purchases/index.ts';
import { completionClaim } from '../../commands/completions/claims/index.ts';
import { consentService } from '../../commands/consent/consents.ts';
import { consentAggregate, consentDocumentsAggregate } from '../../commands/consent/index.ts';
import { creditAccount } from '../../commands/credits/index.ts';
import { deviceRegistry } from '../../commands/devices/device-registry.ts';
import { device } from '../../commands/devices/index.ts';
import { notification } from '../../commands/notifications/index.ts';
import { pushToken } from '../../commands/push-tokens/index.ts';
import { pushTokenDesk } from '../../commands/push-tokens/push-token-desk.ts';
import { erasureAggregate } from '../../commands/erasure/index.ts';
import { reconciliationAggregate } from '../../commands/reconciliation/index.ts';
import { sessionAggregate } from '../../commands/sessions/index.ts';
import { signInService, type SignInDeps } from '../../commands/sessions/sign-in.ts';
import { emailAggregate, identityAggregate } from '../../commands/users/claims.ts';
import { identityHashes } from '../../commands/users/identity-hash.ts';
import { userAggregate } from '../../commands/users/index.ts';
import { recogniser } from '../../commands/users/recognise.ts';
import type { Config } from '../config.ts';
import { commandHandler, type HandlerDeps } from '../kernel/command-handler.ts';
import type { EventStore } from '../kernel/event-store.ts';
import type { Logger } from '../kernel/logger.ts';
import type { SubjectVault } from '../kernel/vault.ts';

type Deps = Readonly<{
  config: Config;
  eventStore: EventStore;
  vault: SubjectVault;
  identityHashKey: string;
  /** What new users are given. */
  signupOffer: SignInDeps['offer'];
  logger: Logger;
}>;

/** Waits between half and one and a half of the time, so that rivals do not meet again. */
export const pause = async (milliseconds: number): Promise<void> => {
  await delay(milliseconds * (0.5 + Math.random()));
};

/** Seconds for which a session can be kept alive. */
export const maxSessionSeconds = (config: Config): number => config.SESSION_MAX_DAYS * 86_400;

/** One command handler an aggregate, and the services over several of them. */
export const writeSide = ({ config, eventStore: store, vault, identityHashKey, signupOffer, logger }: Deps) => {
  const deps: HandlerDeps = { store, logger, pause };
  const users = commandHandler(userAggregate, deps);
  const sessions = commandHandler(sessionAggregate, deps);
  const devices = commandHandler(device, deps);
  const pushTokens = pushTokenDesk({
    tokens: commandHandler(pushToken, deps),
    registry: deviceRegistry({ handler: devices, vault }),
    vault,
    hashKey: identityHashKey,
  });
  const notifications = commandHandler(notification, deps);
  const credits = commandHandler(creditAccount, deps);
  const purchases = commandHandler(purchaseAggregate, deps);
  const profiles = commandHandler(billingProfileAggregate, deps);
  const customerOwners = commandHandler(stripeCustomerAggregate, deps);
  const notices = commandHandler(noticeAggregate, deps);
  const topOffs = commandHandler(autoTopOffAggregate, deps);
  const apiKeys = commandHandler(apiKeyAggregate, deps);
  const claims = commandHandler(completionClaim, deps);
  const cancels = commandHandler(completionCancelAggregate, deps);
  const erasures = commandHandler(erasureAggregate, deps);
  const anchors = commandHandler(auditAnchorAggregate, deps);
  const reconciliations = commandHandler(reconciliationAggregate, deps);
  const consents = consentService({
    consents: commandHandler(consentAggregate, deps),
    documents: commandHandler(consentDocumentsAggregate, deps),
    vault,
  });
  const recognise = recogniser({
    identities: commandHandler(identityAggregate, deps),
    emails: commandHandler(emailAggregate, deps),
    users,
    vault,
    hashes: identityHashes(identityHashKey),
  });
  const { signIn, provision } = signInService({
    recognise,
    sessions,
    accounts: credits,
    offer: signupOffer,
    maxSessionSeconds: maxSessionSeconds(config),
    logger,
  });
  return {
    users,
    sessions,
    devices,
    pushTokens,
    notifications,
    credits,
    purchases,
    profiles,
    customerOwners,
    notices,
    topOffs,
    apiKeys,
    claims,
    cancels,
    consents,
    erasures,
    anchors,
    reconciliations,
    signIn,
    provision,
    pause,
  };
};

export type WriteSide = ReturnType<typeof writeSide>;
