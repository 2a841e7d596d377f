import type { EphemeralStore } from '../../../kernel/ephemeral.ts';
import type { Clock } from '../../../kernel/clock.ts';
import type { SubjectVault } from '../../../kernel/vault.ts';
import { pendingLogins } from '../../auth/pending-logins.ts';
import { signedInReply } from '../../auth/signed-in.ts';
import type { Endpoint } from '../../endpoint.ts';
import { callback } from './callback.ts';
import { finalizeLogin, type FinalizeLoginDeps } from './finalize-login.ts';
import { initiateLogin } from './initiate-login.ts';
import type { LoginAddresses } from './login-addresses.ts';
import { logout, type LogoutDeps } from './logout.ts';
import { callbackPage, loggedOut } from './own-pages.ts';
import { pollStatus } from './poll-status.ts';
import { refreshAppToken, type RefreshDeps } from './refresh-app-token.ts';
import { serverDocument } from './server-document.ts';
import { userinfo } from './userinfo.ts';
import type { AppTokens } from '../../../kernel/tokens.ts';

export type AuthEndpointDeps = Readonly<{
  addresses: LoginAddresses;
  ephemeral: EphemeralStore;
  clock: Clock;
  provider: FinalizeLoginDeps['provider'];
  signIn: FinalizeLoginDeps['signIn'];
  tokens: AppTokens;
  vault: SubjectVault;
  sessions: RefreshDeps['sessions'];
  users: RefreshDeps['users'];
  revocations: LogoutDeps['revocations'];
  signedOut: LogoutDeps['signedOut'];
  /** How long a token lives, and how long a session can be kept alive by refreshing it. */
  tokenSeconds: number;
  maxSessionSeconds: number;
}>;

/** Everything about signing in and out. */
export const authEndpoints = (deps: AuthEndpointDeps): readonly Endpoint[] => {
  const logins = pendingLogins(deps.ephemeral, deps.clock);
  const reply = signedInReply(deps);
  return [
    initiateLogin(logins, deps.addresses),
    callback(logins, deps.addresses),
    callbackPage(),
    loggedOut(deps.addresses),
    pollStatus(logins),
    finalizeLogin({ ...deps, reply }),
    refreshAppToken({ ...deps, reply }),
    userinfo(deps.users, deps.vault),
    logout(deps),
    serverDocument(deps.addresses),
  ];
};
