import { createHash, timingSafeEqual } from 'node:crypto';
import { status, type Metadata } from '@grpc/grpc-js';
import { Refusal } from './refusals.ts';

/** Throws a Refusal unless the metadata of a call carries credentials that are known. */
export type CredentialCheck = (metadata: Metadata) => void;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Reads a credentials file: one `user:password` a line, `#` begins a comment. */
export const readCredentials = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

/** Checks basic credentials against `user:password` pairs; lets everyone in when there are none. */
export const checkCredentials = (pairs: readonly string[]): CredentialCheck => {
  const known = pairs.map(digest);
  return (metadata) => {
    if (known.length === 0) return;
    const [, encoded = ''] = /^basic (.+)$/i.exec(String(metadata.get('authorization')[0] ?? '')) ?? [];
    const given = digest(Buffer.from(encoded, 'base64').toString('utf8'));
    if (known.some((one) => timingSafeEqual(one, given))) return;
    throw new Refusal(status.UNAUTHENTICATED, 'These credentials are not known here.', { exception: 'access-denied' });
  };
};
