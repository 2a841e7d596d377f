import { defineProjection, type Projected } from '../../src/kernel/projection.ts';
import type { Row } from '../../src/kernel/table.ts';
import { USER, type UserEvent } from '../../src/events/user/user.events.ts';
import { userUpcasters } from '../../src/events/user/user.upcasters.ts';
import { usersTable } from './users.table.ts';

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const profileOf = ({ opened }: Projected): Row => ({
  email: textOrNull(opened['email']),
  name: textOrNull(opened['name']),
});

const change = (id: string, set: Row) => [{ op: 'set', table: usersTable, key: { id }, set } as const];

/** One row a user; a removed user has none. */
export const usersProjection = defineProjection<UserEvent>({
  name: 'users',
  version: 1,
  tables: [usersTable],
  streamPrefixes: [`${USER}-`],
  upcasters: userUpcasters,
  on: {
    UserRegistered: (event) => {
      const { userId, role, at } = event.data;
      return change(userId, { ...profileOf(event), role, created_at: at, updated_at: at });
    },
    ProfileChanged: (event) => change(event.data.userId, { ...profileOf(event), updated_at: event.data.at }),
    RoleChanged: ({ data: { userId, role, at } }) => change(userId, { role, updated_at: at }),
    UserRemoved: ({ data: { userId } }) => [{ op: 'remove', table: usersTable, key: { id: userId } }],
  },
});
