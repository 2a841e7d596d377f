type Work = () => Promise<void>;

type Deps = Readonly<{
  /** Resolves after so many milliseconds. Must not reject. */
  pause: (milliseconds: number) => Promise<void>;
  everyMs: number;
}>;

/**
 * Does the work of each key at once, and then one at a time with a pause after each; of what comes meanwhile only the
 * newest is done. Work must not reject.
 */
export const newestPaced = ({ pause, everyMs }: Deps): ((key: string, work: Work) => void) => {
  const lanes = new Map<string, { next: Work | undefined }>();

  const run = async (key: string, first: Work, lane: { next: Work | undefined }): Promise<void> => {
    for (let work: Work | undefined = first; work !== undefined; work = lane.next) {
      lane.next = undefined;
      await work();
      await pause(everyMs);
    }
    lanes.delete(key);
  };

  return (key, work) => {
    const lane = lanes.get(key);
    if (lane !== undefined) {
      lane.next = work;
      return;
    }
    const made = { next: undefined };
    lanes.set(key, made);
    void run(key, work, made);
  };
};
