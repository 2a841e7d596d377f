import { expect } from 'chai';
import type { IncomingMessage } from 'node:http';
import { clientAddress, limitKeyOf } from '../../src/http/address.ts';

const request = (peer: string | undefined, ...forwarded: readonly string[]): IncomingMessage =>
  ({ socket: { remoteAddress: peer }, headersDistinct: { 'x-forwarded-for': forwarded } }) as never;

describe('the client’s address', () => {
  it('is the peer when no proxy is trusted', () => {
    expect(clientAddress(request('192.0.2.1', '203.0.113.9'), 0)).to.equal('192.0.2.1');
    expect(clientAddress(request('::ffff:192.0.2.1'), 0)).to.equal('192.0.2.1');
    expect(clientAddress(request(undefined), 0)).to.equal('unknown');
  });

  it('is what the outermost trusted proxy saw', () => {
    expect(clientAddress(request('10.0.0.1', 'spoofed, 203.0.113.9'), 1)).to.equal('203.0.113.9');
    expect(clientAddress(request('10.0.0.1', '1.1.1.1, 203.0.113.9, 10.0.0.2'), 2)).to.equal('203.0.113.9');
    expect(clientAddress(request('10.0.0.1', '1.1.1.1', '203.0.113.9'), 1)).to.equal('203.0.113.9');
  });

  it('is the peer when the header is missing or no address', () => {
    expect(clientAddress(request('10.0.0.1'), 1)).to.equal('10.0.0.1');
    expect(clientAddress(request('10.0.0.1', 'unknown'), 1)).to.equal('10.0.0.1');
    expect(clientAddress(request('10.0.0.1', '203.0.113.9'), 3)).to.equal('203.0.113.9');
  });

  it('is read with ports and brackets', () => {
    expect(clientAddress(request('10.0.0.1', '203.0.113.9:4711'), 1)).to.equal('203.0.113.9');
    expect(clientAddress(request('10.0.0.1', '[2001:DB8::1]:4711'), 1)).to.equal('2001:db8::1');
  });

  it('is counted whole for IPv4 and by /64 for IPv6', () => {
    expect(limitKeyOf('203.0.113.9')).to.equal('203.0.113.9');
    expect(limitKeyOf('2001:db8::1')).to.equal('2001:db8:0:0::/64');
    expect(limitKeyOf('2001:db8:0:0:1:2:3:4')).to.equal('2001:db8:0:0::/64');
    expect(limitKeyOf('::1')).to.equal('0:0:0:0::/64');
  });
});
