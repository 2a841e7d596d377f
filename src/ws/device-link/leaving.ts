import type { Logger } from '../../kernel/logger.ts';
import type { Relay } from '../../kernel/relay.ts';
import type { Announcer } from './announcing.ts';
import type { Calls } from './calls.ts';
import type { Connections, Registered } from './connections.ts';
import { isCall } from './frames.ts';
import type { PostOffice } from './post-office.ts';
import type { KeptFrame } from './receipts.ts';
import type { Terminals } from './terminals.ts';
import type { Whereabouts } from './whereabouts.ts';

type Deps = Readonly<{
  relay: Pick<Relay, 'leave'>;
  connections: Connections;
  whereabouts: Whereabouts;
  office: PostOffice;
  calls: Calls;
  terminals: Terminals;
  announce: Announcer;
  /** Told of a device that has gone; what it does may take its time. */
  onGone: (connection: Registered) => void;
  logger: Logger;
}>;

/** What is to be done when a connection is over. Neither rejects. */
export type Leaving = Readonly<{
  /** The calls and answers that its device may not have got, for the next connection of the device. */
  takeOver: (connection: Registered) => Promise<readonly string[]>;
  /** Takes a connection out, once. One at a time for each device. */
  leave: (connection: Registered) => Promise<void>;
}>;

export const leaving = (deps: Deps): Leaving => {
  const { relay, office, calls, logger } = deps;

  const notGot = ({ entry, outbox }: Registered): readonly KeptFrame[] => [
    ...outbox.takeBack(),
    ...entry.feed.takeBack(),
  ];

  /** Saves the calls and answers that its device may not have got. */
  const handBack = async (connection: Registered): Promise<void> => {
    const { deviceId } = connection.entry.presence;
    const answers: string[] = [];
    for (const kept of notGot(connection)) {
      if (isCall(kept.frame)) await calls.returned(deviceId, kept);
      else answers.push(kept.frame);
    }
    await office.keepMail(connection.caller.userId, deviceId, answers);
  };

  /** Goes on when a step fails: whatever is shared and was not undone is forgotten after a while. */
  const tried = async (what: string, step: () => Promise<unknown>): Promise<void> => {
    try {
      await step();
    } catch (error) {
      logger.warn({ err: error }, `a device has gone, and this was left undone: ${what}`);
    }
  };

  const leaveRelay = async ({ caller, entry }: Registered): Promise<boolean> => {
    let wasCurrent = true;
    await tried('its presence', async () => {
      wasCurrent = await relay.leave(caller.userId, entry.presence);
    });
    deps.whereabouts.forget(caller.userId);
    return wasCurrent;
  };

  return {
    takeOver: async (connection) => {
      const frames: string[] = [];
      for (const kept of notGot(connection)) {
        if (!isCall(kept.frame) || (await calls.isStillWanted(kept))) frames.push(kept.frame);
      }
      return frames;
    },
    leave: async (connection) => {
      const { caller, entry } = connection;
      const { deviceId, role } = entry.presence;
      const wasHere = deps.connections.remove(connection);
      const wasCurrent = wasHere && (await leaveRelay(connection));
      if (wasCurrent && role === 'desktop') calls.desktopLeft(caller.userId, deviceId);
      await tried('calls and answers', () => handBack(connection));
      if (!wasCurrent) return;
      await tried('its terminals', () => deps.terminals.left(caller.userId, deviceId));
      await tried('word of it', () => deps.announce.gone(caller.userId, deviceId));
      deps.onGone(connection);
    },
  };
};
