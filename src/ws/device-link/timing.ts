/** How long the link waits for what, in milliseconds. */
export type LinkTiming = Readonly<{
  /** Between two pings of one socket. */
  pingEveryMs: number;
  /** A client that has said nothing for so long, not even to a ping, is not there. */
  silenceMs: number;
  /** How long a socket may stay without saying which device it is. */
  registerWithinMs: number;
  /** How long a peer may take to answer a close frame, behind which much may wait that it has not read. */
  lingerMs: number;
  /** The same for a client that has lost the right to its connection: it is told why, if it reads at all. */
  revokedMs: number;
  /** Between two looks at which connections still live. */
  renewEveryMs: number;
  /** Between two questions whether a client has got what must not be lost. */
  confirmEveryMs: number;
  /** How long a call waits for a desktop that is reconnecting: well within the three seconds that a phone gives a ping. */
  holdMs: number;
  /** A desktop that left longer ago is not waited for. */
  recentlyMs: number;
}>;

export const usualTiming: LinkTiming = {
  pingEveryMs: 30_000,
  silenceMs: 60_000,
  registerWithinMs: 15_000,
  lingerMs: 10_000,
  revokedMs: 1_000,
  renewEveryMs: 15_000,
  confirmEveryMs: 1_000,
  holdMs: 2_000,
  recentlyMs: 10_000,
};
