/** Waits for a client that takes its answer slowly. */
export type ClientPace = Readonly<{
  /** Resolves when the client can take more, or when it is not waited for any more. */
  keep: (drained: Promise<void>) => Promise<void>;
  /** Ends the wait: from now on nobody is waited for. */
  giveUp: () => void;
}>;

/** A pace for one client. */
export const clientPace = (): ClientPace => {
  let isGivenUp = false;
  let goOn: (() => void) | undefined;
  return {
    keep: (drained) =>
      new Promise((resolve, reject) => {
        goOn = resolve;
        drained.then(resolve, reject);
        if (isGivenUp) resolve();
      }),
    giveUp: () => {
      isGivenUp = true;
      goOn?.();
    },
  };
};
