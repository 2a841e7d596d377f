import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { isoAfter } from '../../../kernel/clock.ts';
import { isUuid } from '../../../kernel/ids.ts';
import type { IdentityProvider } from '../../../kernel/identity.ts';
import type { SignInService } from '../../../../commands/sessions/sign-in.ts';
import type { signedInReply } from '../../auth/signed-in.ts';
import { json, publicEndpoint, type Endpoint } from '../../endpoint.ts';

const body = z.object({
  // The name is history: clients send the access token in it.
  auth0_id_token: z.string().min(1).max(20_000),
  // Accepted and not kept: our own sessions do the refreshing.
  auth0_refresh_token: z.string().nullish(),
  device_id: z.string().refine(isUuid, 'must be a UUID').nullish(),
});

export type FinalizeLoginDeps = Readonly<{
  provider: IdentityProvider;
  signIn: SignInService['signIn'];
  reply: ReturnType<typeof signedInReply>;
  maxSessionSeconds: number;
}>;

/** Exchanges the provider's access token for an app token, and so signs the person in. */
export const finalizeLogin = ({ provider, signIn, reply, maxSessionSeconds }: FinalizeLoginDeps): Endpoint =>
  publicEndpoint({
    method: 'POST',
    path: '/auth0/finalize-login',
    limit: 'public',
    body,
    handle: async ({ body: sent, cause }) => {
      const person = await provider.profileOf(sent.auth0_id_token);
      const session = { sessionId: randomUUID(), deviceId: sent.device_id?.toLowerCase() };
      const user = await signIn({ person, ...session }, cause);
      const sessionEndsAt = isoAfter(cause.at, maxSessionSeconds * 1000);
      return json(200, await reply({ user, ...session, subject: person.subject, at: cause.at, sessionEndsAt }));
    },
  });
