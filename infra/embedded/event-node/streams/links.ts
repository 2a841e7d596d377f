import type { EventLog } from '../log/event-log.ts';
import type { StreamIndex } from '../log/stream-index.ts';
import { decodeRecord, typeOf } from '../wire/record.ts';
import type { StreamHeads } from './stream-heads.ts';

/** The type of an event that points to another. */
const linkType = '$>';

/** An event ready to be sent: with `link` when it was found through one. A link to nothing has no `record`. */
type ResolvedRecord = { record: Buffer | undefined; link: Buffer | undefined; position: number };

/** Follows the link in a record, if it is one. */
export type LinkResolver = (record: Buffer, position: number) => ResolvedRecord;

/** Does not follow links. */
export const keepLinks: LinkResolver = (record, position) => ({ record, link: undefined, position });

/** Follows links of the form `<revision>@<stream>`. */
export const createLinkResolver =
  (log: EventLog, index: StreamIndex, heads: StreamHeads): LinkResolver =>
  (record, position) => {
    if (typeOf(record) !== linkType) return { record, link: undefined, position };
    const target = /^(\d+)@(.+)$/s.exec(Buffer.from(decodeRecord(record).data).toString('utf8'));
    const [, revision = '', stream = ''] = target ?? [];
    const head = target === null ? undefined : heads.get(stream);
    const place = head === undefined || head.tombstoned ? undefined : index.at(head.key, Number(revision));
    return { record: place === undefined ? undefined : log.at(place)?.body, link: record, position };
  };
