/** What may stand in an address of Stripe's API: its ids and nothing else, so that no caller's text gets in there. */
const ID = /^[a-z]{2,10}(?:_[a-z]{4})?_[A-Za-z0-9]{1,200}$/;

/** Throws on anything that is no id of Stripe's: that is a fault of ours. */
export const stripeId = (text: string): string => {
  if (!ID.test(text)) throw new Error('not an id of Stripe');
  return text;
};

/** The id of a member that Stripe gives as an id or as the object itself. */
export const idOf = (member: string | Readonly<{ id: string }> | null | undefined): string | null =>
  member === null || member === undefined ? null : typeof member === 'string' ? member : member.id;

/** Seconds since the epoch as an ISO instant. */
export const instantOf = (seconds: number): string => new Date(seconds * 1000).toISOString();
