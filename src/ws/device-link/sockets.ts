/** What is left of a socket until it is closed and its device has left. */
type Place = Readonly<{ closed: () => void; left: () => void }>;

/** The sockets that are not over yet. */
export type Sockets = Readonly<{
  add: (socket: object) => Place;
  size: () => number;
  /** Resolves when there are none. */
  quiet: () => Promise<void>;
}>;

export const sockets = (): Sockets => {
  /** True: one of the two has happened. */
  const open = new Map<object, boolean>();
  const waiting: (() => void)[] = [];

  const half = (socket: object): void => {
    if (open.get(socket) !== true) return void open.set(socket, true);
    open.delete(socket);
    if (open.size > 0) return;
    for (const tell of waiting.splice(0)) tell();
  };

  return {
    add: (socket) => {
      open.set(socket, false);
      const done = (): void => half(socket);
      return { closed: done, left: done };
    },
    size: () => open.size,
    quiet: () =>
      new Promise((resolve) => {
        if (open.size === 0) resolve();
        else waiting.push(resolve);
      }),
  };
};
