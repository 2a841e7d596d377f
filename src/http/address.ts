import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';

/** An entry of X-Forwarded-For without brackets, port and the prefix of mapped addresses; undefined when it is none. */
const plainAddress = (entry: string | undefined): string | undefined => {
  if (entry === undefined) return undefined;
  const bare = entry
    .trim()
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  const address = bare.replace(/^::ffff:(?=\d+\.)/i, '').toLowerCase();
  return isIP(address) === 0 ? undefined : address;
};

/**
 * The client's address. Each trusted proxy appended the address that it saw, so that the client stands as many places
 * from the end as there are proxies; everything before that is the client's own claim and is not believed.
 */
export const clientAddress = (request: IncomingMessage, trustedProxies: number): string => {
  const peer = plainAddress(request.socket.remoteAddress) ?? 'unknown';
  if (trustedProxies === 0) return peer;
  const forwarded = (request.headersDistinct['x-forwarded-for'] ?? []).join(',').split(',');
  const claimed = forwarded.filter((entry) => entry.trim() !== '');
  return plainAddress(claimed[Math.max(0, claimed.length - trustedProxies)]) ?? peer;
};

const expandIPv6 = (address: string): readonly string[] => {
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  return tail === undefined ? left : [...left, ...gap, ...right];
};

/** The key that an address is counted under: one customer holds a whole /64 of IPv6, so that it counts as one. */
export const limitKeyOf = (address: string): string =>
  isIPv6(address) ? `${expandIPv6(address).slice(0, 4).join(':')}::/64` : address;
