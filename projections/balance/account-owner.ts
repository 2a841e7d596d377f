import { CREDIT_ACCOUNT } from '../../src/events/credit-account/credit-account.events.ts';

const PREFIX = `${CREDIT_ACCOUNT}-`;

/** The streams of all credit accounts. */
export const creditAccountStreams: readonly string[] = [PREFIX];

/** The user whose account a stream is: only the first event of an account names the user. */
export const accountOwner = (stream: string): string => stream.slice(PREFIX.length);
