import type { IsoTime } from '../../../kernel/message.ts';
import { json, publicEndpoint, type Endpoint } from '../../endpoint.ts';

/** A server that the desktop app may be pointed at. */
export type Region = Readonly<{ label: string; url: string; isDefault: boolean }>;

const defaultFirst = (a: Region, b: Region): number =>
  a.isDefault === b.isDefault ? a.label.localeCompare(b.label, 'en') : Number(b.isDefault) - Number(a.isDefault);

type Deps = Readonly<{
  regions: readonly Region[];
  /** Since when the list is as it is. */
  regionsSince: IsoTime;
}>;

/** The region picker's list. Ids are places in the configured list. */
export const regionsEndpoint = ({ regions, regionsSince }: Deps): Endpoint => {
  const numbered = regions.map((region, index) => ({ ...region, id: index + 1 })).toSorted(defaultFirst);
  const body = numbered.map(({ id, label, url, isDefault }) => ({
    id,
    label,
    url,
    is_default: isDefault,
    created_at: regionsSince,
    updated_at: regionsSince,
  }));
  return publicEndpoint({
    method: 'GET',
    path: '/config/regions',
    limit: 'public',
    handle: () => Promise.resolve(json(200, body)),
  });
};
