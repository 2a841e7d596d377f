import { adjustmentTable } from '../../projections/adjustments/adjustments.table.ts';
import { apiKeyTable } from '../../projections/api-keys/api-keys.table.ts';
import { billingProfileTable, paymentMethodTable } from '../../projections/billing-profile/billing-profile.table.ts';
import { devicesTable } from '../../projections/devices/devices.table.ts';
import { invoiceTable } from '../../projections/purchases/purchases.table.ts';
import { pushTokensTable } from '../../projections/push-tokens/push-tokens.table.ts';
import { usersTable } from '../../projections/users/users.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type IdRow = Readonly<{ id: string }>;
const ids = (rows: readonly IdRow[]): readonly string[] => rows.map(({ id }) => id);

/** Which devices of any kind does this user have? For the system role. */
export const devicesOf = (userId: string): Query<IdRow, readonly string[]> => ({
  statement: sql`select device_id as id from ${devicesTable} where user_id = ${userId} order by device_id`,
  present: ids,
});

/** Which API keys of this user were never revoked, expired or not? For the system role. */
export const apiKeysOf = (userId: string): Query<IdRow, readonly string[]> => ({
  statement: sql`
    select key_id as id from ${apiKeyTable} where user_id = ${userId} and revoked_at is null order by key_id`,
  present: ids,
});

/** The tables in which something can be read that must be forgotten with its user. */
const PERSONAL: readonly string[] = [
  usersTable,
  devicesTable,
  pushTokensTable,
  apiKeyTable,
  billingProfileTable,
  paymentMethodTable,
  invoiceTable,
  adjustmentTable,
].map(({ name }) => name);

/** Which tables hold what can be forgotten, and which of them hold something of this user? For the system role. */
export const remainsOf = (
  userId: string,
): Query<Readonly<{ name: string }>, Readonly<{ looked: readonly string[]; left: readonly string[] }>> => ({
  statement: sql`
    select name from (
      select ${usersTable.name} as name where exists (select from ${usersTable} where id = ${userId})
      union all
      select ${devicesTable.name} where exists (select from ${devicesTable} where user_id = ${userId})
      union all
      select ${pushTokensTable.name} where exists (select from ${pushTokensTable} where user_id = ${userId})
      union all
      select ${apiKeyTable.name} where exists (
        select from ${apiKeyTable} where user_id = ${userId} and (name is not null or revoked_at is null))
      union all
      select ${billingProfileTable.name} where exists (
        select from ${billingProfileTable} where user_id = ${userId} and details is not null)
      union all
      select ${paymentMethodTable.name} where exists (select from ${paymentMethodTable} where user_id = ${userId})
      union all
      select ${invoiceTable.name} where exists (
        select from ${invoiceTable} where user_id = ${userId} and pdf_url is not null)
      union all
      select ${adjustmentTable.name} where exists (
        select from ${adjustmentTable} where user_id = ${userId} and note is not null)
    ) as found`,
  present: (rows) => ({ looked: PERSONAL, left: rows.map(({ name }) => name) }),
});
