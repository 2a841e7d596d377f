import type { CommandHandler } from '../../../kernel/command-handler.ts';
import { DomainError } from '../../../kernel/errors.ts';
import type { SubjectVault } from '../../../kernel/vault.ts';
import type { UserEvent } from '../../../events/user/user.events.ts';
import type { UserCommand } from '../../../../commands/users/users.commands.ts';
import type { User } from '../../../../commands/users/users.state.ts';
import { userViews } from '../../auth/signed-in.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

/** Who the caller is. Read from the user's own record and not from a read model: clients ask right after signing in. */
export const userinfo = (
  users: Pick<CommandHandler<User, UserCommand, UserEvent>, 'state'>,
  vault: Pick<SubjectVault, 'open'>,
): Endpoint => {
  const view = userViews(vault);
  return userEndpoint({
    method: 'GET',
    path: '/api/auth/userinfo',
    limit: 'read',
    handle: async (_call, { userId }) => {
      const user = await users.state(userId, { cached: true });
      if (user.status !== 'registered') throw new DomainError('authentication_error', 'this account has been removed');
      return json(200, await view(user));
    },
  });
};
