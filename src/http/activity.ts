/** How much the server is doing right now; health probes do not count. */
export type Activity = Readonly<{ activeRequests: number; activeStreams: number; activeSockets: number }>;

/** Counts requests, streams and sockets from start to end. */
export type ActivityMeter = Readonly<{
  now: () => Activity;
  /** Each answers a function to call once, at the end. */
  requestStarted: () => () => void;
  streamStarted: () => () => void;
  socketOpened: () => () => void;
}>;

/** A meter that starts at zero; made once a process and shared by the edge and the deployment check. */
export const activityMeter = (): ActivityMeter => {
  const counts = { activeRequests: 0, activeStreams: 0, activeSockets: 0 };
  const started = (what: keyof Activity) => () => {
    counts[what] += 1;
    return () => {
      counts[what] -= 1;
    };
  };
  return {
    now: () => ({ ...counts }),
    requestStarted: started('activeRequests'),
    streamStarted: started('activeStreams'),
    socketOpened: started('activeSockets'),
  };
};
