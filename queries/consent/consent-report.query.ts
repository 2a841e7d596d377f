import { consentAcceptanceTable, consentDocumentTable } from '../../projections/consent/consent.table.ts';
import { usersTable } from '../../projections/users/users.table.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type ReportRow = Readonly<{
  doc_type: string;
  region: string;
  version: string;
  accepted: bigint;
  total: bigint;
}>;

/** How many agree to a version. The rate is in percent with two decimals; undefined when there is nobody. */
export type ReportLine = Readonly<{
  docType: string;
  region: string;
  version: string;
  accepted: number;
  total: number;
  rate: string | undefined;
}>;

/** Undefined: not limited. The times are both within the period. */
export type ReportFilter = Readonly<{
  region: string | undefined;
  docType: string | undefined;
  from: IsoTime | undefined;
  to: IsoTime | undefined;
  /** Versions that come into force later are not in the report (`YYYY-MM-DD`). */
  day: string;
}>;

/** Percent with two decimals, rounded half up. */
const rateOf = (accepted: bigint, total: bigint): string | undefined => {
  if (total === 0n) return undefined;
  const basisPoints = (accepted * 20_000n + total) / (total * 2n);
  return `${basisPoints / 100n}.${(basisPoints % 100n).toString().padStart(2, '0')}`;
};

const view = ({ doc_type: docType, region, version, accepted, total }: ReportRow): ReportLine => ({
  docType,
  region,
  version,
  accepted: Number(accepted),
  total: Number(total),
  rate: rateOf(accepted, total),
});

/**
 * How many of the users who are there, and were there at the end of the period, agreed to each version within the period
 * and have not taken it back? For the system role.
 */
export const consentReport = (filter: ReportFilter): Query<ReportRow, readonly ReportLine[]> => {
  const { region = null, docType = null, from = null, to = null, day } = filter;
  return {
    statement: sql`
      select d.doc_type, d.region, d.version,
             (select count(*) from ${consentAcceptanceTable} a join ${usersTable} u on u.id = a.user_id
              where a.region = d.region and a.doc_type = d.doc_type and a.version = d.version
                and a.withdrawn_at is null
                and (${from}::timestamptz is null or a.accepted_at >= ${from}::timestamptz)
                and (${to}::timestamptz is null or a.accepted_at <= ${to}::timestamptz)) as accepted,
             (select count(*) from ${usersTable} u
              where ${to}::timestamptz is null or u.created_at <= ${to}::timestamptz) as total
      from ${consentDocumentTable} d
      where (${region}::text is null or d.region = ${region}::text)
        and (${docType}::text is null or d.doc_type = ${docType}::text)
        and d.effective_at <= ${day}
      order by d.region, d.doc_type, d.effective_at, d.revision`,
    present: (rows) => rows.map(view),
  };
};
