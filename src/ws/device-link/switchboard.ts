import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { absences } from './absences.ts';
import type { NumberedEvent } from '../../kernel/relay.ts';
import { announcer, statusIn, unlinkedIn, type StatusChange } from './announcing.ts';
import { calls, type Calls } from './calls.ts';
import { REVOKED } from './close-codes.ts';
import { connections, type Connection } from './connections.ts';
import type { DeviceLinkDeps } from './device-link.deps.ts';
import { entering } from './entering.ts';
import { deviceEvents } from './events.ts';
import { isCall } from './frames.ts';
import { leaving } from './leaving.ts';
import { messages } from './messages.ts';
import { postOffice, type PostOffice } from './post-office.ts';
import { registering } from './registering.ts';
import { terminals as terminalsOf } from './terminals.ts';
import type { LinkTiming } from './timing.ts';
import { welcome } from './welcome.ts';
import { whereabouts as whereaboutsOf } from './whereabouts.ts';

type Deps = DeviceLinkDeps & Readonly<{ timing: LinkTiming }>;

const SETTLED_LOOK_MS = 50;

/** Unlike a UUID's text, which is made of twenty pieces that stay apart, this is one: it is kept for long. */
const connectionId = (): string => randomBytes(16).toString('hex');

/** What works between the sockets of this process and the relay. */
export type Switchboard = ReturnType<typeof switchboard>;

/** All that works between the sockets of this process and the relay. */
export const switchboard = (deps: Deps) => {
  const { relay, clock, logger, timing, notes } = deps;
  const now = (): number => clock().getTime();
  const here = connections();
  const whereabouts = whereaboutsOf({ relay, connections: here, now, logger });
  const announce = announcer({ relay, clock });

  /** Connections whose user has lost the right to them: what they still say is not heard. */
  const revoked = new WeakSet<Connection>();
  const endLink = (userId: string, deviceId: string): void => {
    const connection = here.find(userId, deviceId);
    if (connection === undefined) return;
    revoked.add(connection);
    connection.close(REVOKED, 'this device is not linked any more');
  };

  const undelivered = (userId: string, deviceId: string, frame: string): void => {
    // It went while this was on its way to it; what is no call and no answer it asks for again.
    if (isCall(frame)) void calling.undelivered(deviceId, frame);
    else void office.sendMail(userId, deviceId, frame);
  };
  const desktopCame = async (userId: string): Promise<void> => {
    await calling.desktopCame(userId);
    await terminals.desktopCame(userId);
  };
  const statusHeard = (userId: string, change: StatusChange): void => {
    whereabouts.forget(userId);
    away.heard(userId, change);
    if (change.status === 'online') void desktopCame(userId);
    else if (here.find(userId, change.deviceId) === undefined) calling.desktopLeft(userId, change.deviceId);
  };
  const heard = (userId: string, event: NumberedEvent): void => {
    const change = statusIn(event);
    if (change !== undefined) statusHeard(userId, change);
    const unlinked = unlinkedIn(event);
    // It has been told just now.
    if (unlinked !== undefined) endLink(userId, unlinked);
  };

  const office: PostOffice = postOffice({
    ...{ relay, connections: here, whereabouts, undelivered, heard, now, logger },
    waitsBehind: (deviceId, frame) => calling.waitsBehind(deviceId, frame),
    mailCame: (connection) => void door.fetchMail(connection),
  });
  const calling: Calls = calls({ office, whereabouts, newId: randomUUID, timing, clock, logger });
  const terminals = terminalsOf({ relay, office, whereabouts, clock, holdMs: timing.holdMs });
  const going = leaving({
    ...{ relay, connections: here, whereabouts, office, calls: calling, terminals, announce, logger },
    onGone: (connection) => notes.presence(connection, false),
  });
  const door = entering({
    ...{ relay, connections: here, whereabouts, leaving: going, announce, newId: connectionId, now, logger },
    welcome: welcome({ relay, terminals, clock }),
    onEntered: async (connection) => {
      notes.presence(connection, true);
      // What waited here comes first: whoever waits elsewhere has come later.
      if (connection.entry.presence.role === 'desktop') await desktopCame(connection.caller.userId);
    },
  });
  const away = absences({
    ...{ relay, connections: here },
    gone: async (userId, deviceId) => {
      await terminals.left(userId, deviceId);
      await announce.gone(userId, deviceId);
    },
    back: announce.online,
  });
  const letIn = registering({ relay, connections: here, entering: door, announce, device: deps.device, clock });
  const handle = messages({
    ...{ registering: letIn, calls: calling, terminals, notes, clock },
    events: deviceEvents(announce, notes),
  });

  const renew = async (): Promise<void> => {
    const present = here.all().map(({ caller, entry }) => ({ userId: caller.userId, presence: entry.presence }));
    if (present.length > 0) await relay.renew(present);
    await office.retry();
  };

  const tick = async (): Promise<void> => {
    whereabouts.sweep();
    calling.sweep();
    await renew();
    await away.look();
  };

  const late = (error: unknown): void => logger.warn({ err: error }, 'presence could not be renewed');
  const renewNow = (): void => void renew().catch(late);
  const renewing = setInterval(() => void tick().catch(late), timing.renewEveryMs);
  renewing.unref();

  relay.onInterruption(() => {
    for (const connection of here.all()) {
      whereabouts.forget(connection.caller.userId);
      void door.catchUp(connection);
    }
    calling.sightBack();
    // Noted again at once: others look for these devices.
    renewNow();
  });

  return {
    connections: here,
    announce,
    terminals,
    handle,
    registering: letIn,
    revoked,
    endLink,
    leave: door.leave,
    inUse: () => ({
      devices: here.all().length,
      users: whereabouts.size(),
      calls: calling.held(),
      mail: office.unposted(),
    }),
    /** Resolves when nothing is held that somebody waits for. */
    settled: async (): Promise<void> => {
      while (calling.held() > 0) await wait(SETTLED_LOOK_MS);
    },
    stop: () => clearInterval(renewing),
  };
};
