import { z } from 'zod';
import { consentReport, type ReportFilter, type ReportLine } from '../../../../queries/consent/consent-report.query.ts';
import { DomainError } from '../../../kernel/errors.ts';
import type { IsoTime } from '../../../kernel/message.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { adminEndpoint, json, type Endpoint, type Reply } from '../../endpoint.ts';
import { documentTypeOf, regionOf } from './consent-input.ts';

const instant = z.iso.datetime({ offset: true, error: 'must be an RFC 3339 time' }).optional();

const query = z.object({
  region: z.string().optional(),
  doc_type: z.string().optional(),
  docType: z.string().optional(),
  from: instant,
  to: instant,
  format: z.string().optional(),
});

type Asked = z.output<typeof query>;

const COLUMNS = ['doc_type', 'region', 'version', 'accepted_count', 'total_count', 'acceptance_rate'] as const;

const filterOf = ({ region, doc_type, docType = doc_type, from, to }: Asked, at: IsoTime): ReportFilter => {
  if (from !== undefined && to !== undefined && Date.parse(from) > Date.parse(to)) {
    throw new DomainError('bad_request', 'from must not be later than to');
  }
  return {
    region: region === undefined ? undefined : regionOf(region),
    docType: docType === undefined ? undefined : documentTypeOf(docType),
    from,
    to,
    day: at.slice(0, 10),
  };
};

const lineOf = ({ docType, region, version, accepted, total, rate }: ReportLine) => ({
  doc_type: docType,
  region,
  version,
  accepted_count: accepted,
  total_count: total,
  ...(rate === undefined ? {} : { acceptance_rate: rate }),
});

/** No cell can hold a comma or a quote: documents are published under plain names only. */
const csvOf = (lines: readonly ReportLine[]): Reply => ({
  kind: 'text',
  status: 200,
  type: 'text/csv',
  headers: { 'Content-Disposition': 'attachment; filename="consent-report.csv"' },
  body: [
    COLUMNS.join(','),
    ...lines.map(({ docType, region, version, accepted, total, rate = '' }) =>
      [docType, region, version, accepted, total, rate].join(','),
    ),
    '',
  ].join('\r\n'),
});

const formatOf = (text = 'json'): 'json' | 'csv' => {
  const format = text.toLowerCase();
  if (format === 'json' || format === 'csv') return format;
  throw new DomainError('bad_request', 'format must be json or csv');
};

/** GET /api/consent/admin/report: how many agree to each version, over all users or in a period. */
export const consentReportEndpoint = (queries: QueryRunner): Endpoint =>
  adminEndpoint({
    method: 'GET',
    path: '/api/consent/admin/report',
    limit: 'read',
    query,
    handle: async ({ query: asked, cause }) => {
      const format = formatOf(asked.format);
      const lines = await queries.asSystem(consentReport(filterOf(asked, cause.at)));
      return format === 'csv' ? csvOf(lines) : json(200, lines.map(lineOf));
    },
  });
