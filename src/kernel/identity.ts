/** What a user may do. Always read from the user's own record. */
export type Role = 'user' | 'admin';

/** A person as the identity provider vouches for them. */
export type Profile = Readonly<{
  /** The provider's own id of the person; never changes. */
  subject: string;
  /** Undefined when the provider does not know one. */
  email: string | undefined;
  emailVerified: boolean;
  name: string | undefined;
  /** Undefined when the provider says nothing of roles: the user keeps theirs. */
  role: Role | undefined;
}>;

/** The port to the identity provider. */
export type IdentityProvider = Readonly<{
  /**
   * The person whom an access token was given to. Throws DomainError `authentication_error` when the token is not good,
   * and `external_service_error` or `service_unavailable` when that could not be found out: never mistake one for the
   * other, because clients throw refused tokens away.
   */
  profileOf: (accessToken: string) => Promise<Profile>;
}>;

/** Subjects of this kind may sign in without a verified e-mail, which then counts for nothing. */
export const mayLackVerifiedEmail = (subject: string): boolean => subject.startsWith('github|');
