import { createHmac } from 'node:crypto';

/** Keyed hashes that name the streams of claims, so that no stream's name tells who somebody is. */
export type IdentityHashes = Readonly<{
  subject: (subject: string) => string;
  /** Equal for spellings that differ only in case or outer spaces. */
  email: (email: string) => string;
}>;

/** The key must be equal on all instances and in all regions, and stay for ever: the user ids follow from it. */
export const identityHashes = (key: string): IdentityHashes => {
  const hash = (text: string): string => createHmac('sha256', key).update(text, 'utf8').digest('hex');
  return {
    subject: (subject) => hash(`subject:${subject}`),
    email: (email) => hash(`email:${email.trim().toLowerCase()}`),
  };
};
