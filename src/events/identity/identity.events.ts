import type { Event, IsoTime } from '../../kernel/message.ts';

type Ownership = Readonly<{ userId: string; at: IsoTime }>;

/** The person of the identity provider belongs to this user. The first claim on a stream wins. */
type IdentityClaimed = Event<'IdentityClaimed', Ownership>;

/** The user is removed; should the person ever come back, it is as somebody new. */
type IdentityReleased = Event<'IdentityReleased', Ownership>;

/** The verified e-mail belongs to this user. */
type EmailClaimed = Event<'EmailClaimed', Ownership>;

/** The user has another e-mail now, or is removed: whoever gets this address next is not that user. */
type EmailReleased = Event<'EmailReleased', Ownership>;

export type IdentityEvent = IdentityClaimed | IdentityReleased;
export type EmailEvent = EmailClaimed | EmailReleased;

/** Streams are `identity-<keyed hash of the provider's subject>`. */
export const IDENTITY = 'identity';

/** Streams are `email-<keyed hash of the address>`. */
export const EMAIL = 'email';
