const OURS = 'call_';

/** An id for a call that came without one: clients need it to send the result. */
export const ownCallId = (answer: string, index: number): string => `${OURS}${answer}_${index}`;

/** The id as the provider knows it; undefined for one that it has not given. */
export const knownCallId = (id: string): string | undefined => (id.startsWith(OURS) ? undefined : id);
