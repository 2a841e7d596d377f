import { SESSION_SECONDS, type TerminalRoute } from '../../src/kernel/relay.ts';
import { MOST_ROUTES } from './limits.ts';

/** The terminal routes of one user in memory. */
export type RouteKeep = Readonly<{
  add: (route: TerminalRoute) => void;
  remove: (route: TerminalRoute) => void;
  all: () => readonly TerminalRoute[];
  /** About what they take. */
  bytes: () => number;
}>;

/** A route as one text, the same for equal routes. */
export const routeText = ({ producerId, sessionId, consumerId }: TerminalRoute): string =>
  JSON.stringify([producerId, sessionId, consumerId]);

/** The route of a text that `routeText` made. */
export const routeOf = (text: string): TerminalRoute => {
  const [producerId, sessionId, consumerId] = JSON.parse(text) as [string, string, string];
  return { producerId, sessionId, consumerId };
};

export const routeKeep = (now: () => number): RouteKeep => {
  /** In the order in which they were last added, so the first one is the first to end. */
  const untils = new Map<string, number>();
  let bytes = 0;

  const drop = (text: string): void => {
    if (untils.delete(text)) bytes -= text.length;
  };

  const sweep = (): void => {
    const at = now();
    for (const [text, until] of untils) {
      if (until > at && untils.size <= MOST_ROUTES) return;
      drop(text);
    }
  };

  return {
    add: (route) => {
      const text = routeText(route);
      drop(text);
      untils.set(text, now() + SESSION_SECONDS * 1_000);
      bytes += text.length;
      sweep();
    },
    remove: (route) => drop(routeText(route)),
    all: () => {
      sweep();
      return [...untils.keys()].map(routeOf);
    },
    bytes: () => bytes,
  };
};
