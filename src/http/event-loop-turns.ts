/**
 * Begins at most so many pieces of work in one turn of the event loop, in the order in which they came. When thousands of
 * requests arrive at once the others wait: between two turns the connections to our own parts are heard, whose answers
 * those wait for that have begun.
 */
export const startedByTurns = (most: number): ((begin: () => void) => void) => {
  let begun = 0;
  let waiting: (() => void)[] = [];
  let isTurnCounted = false;

  const countTurn = (): void => {
    if (isTurnCounted) return;
    isTurnCounted = true;
    setImmediate(nextTurn);
  };

  const nextTurn = (): void => {
    isTurnCounted = false;
    const now = waiting.slice(0, most);
    waiting = waiting.slice(most);
    begun = now.length;
    if (begun > 0) countTurn();
    for (const begin of now) begin();
  };

  return (begin) => {
    countTurn();
    if (begun >= most) {
      waiting.push(begin);
      return;
    }
    begun += 1;
    begin();
  };
};
