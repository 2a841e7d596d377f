import { defineTable } from '../../src/kernel/table.ts';

/** Who the users are. Address and name are null once the user's key is destroyed. */
export const usersTable = defineTable({
  name: 'users',
  columns: {
    id: { type: 'uuid' },
    email: { type: 'text', nullable: true },
    name: { type: 'text', nullable: true },
    role: { type: 'text' },
    created_at: { type: 'timestamptz' },
    updated_at: { type: 'timestamptz' },
  },
  key: ['id'],
  owner: 'id',
  indexes: [['email'], ['created_at desc']],
});
