/** A key of a user's. The braces put all keys of a user on one node of a cluster. */
export const userKey = (userId: string, what: string): string => `relay:{${userId}}:${what}`;

export const sessionKey = (sessionId: string): string => `relay:session:${sessionId}`;

/** What precedes the name of an instance in the channel that it listens to. */
export const INBOX = 'relay:inbox:';
