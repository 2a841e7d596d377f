import type { Mail, MailReceipt } from './mail-box.ts';

/**
 * The port to what the instances share about devices that are connected: who is where, what happened last, what waits
 * for whom. Kept in Redis, or in this process when it is alone. It may vanish at any moment: every instance tells its own
 * connections again while it renews them, and clients make up for the rest by resuming.
 */

/** What a connected device is to the others. */
export type DeviceRole = 'desktop' | 'mobile' | 'other';

/** A device's connection, as every instance sees it. */
export type Presence = Readonly<{
  deviceId: string;
  /** Tells this connection from an earlier one of the same device. */
  connectionId: string;
  instance: string;
  role: DeviceRole;
  /** Milliseconds since the epoch at which it registered: of several desktops the latest is asked. */
  since: number;
}>;

/** An event of a user as it goes to their devices, with everything but its id. */
export type RelayEvent = Readonly<{
  eventType: string;
  /** Any JSON. */
  payload: unknown;
  /** The device that said it; null when the server did. */
  sourceDeviceId: string | null;
  /** ISO instant. */
  at: string;
}>;

/** Where an event stands: ids only grow, for each user, also over a restart of everything. */
export type NumberedEvent = RelayEvent & Readonly<{ eventId: number }>;

/** How an event is kept for those who were away. */
export type Keeping = Readonly<{
  /**
   * `keep` for those who come back; `forget`: handed to who is there, and nobody misses it later; `miss`: too large to be
   * kept, so that whoever was away has to be told of a gap.
   */
  how: 'keep' | 'forget' | 'miss';
  /** A newer event of the same key takes the place of the older. */
  replaces?: string;
}>;

/** What the kept events of a user cover. */
export type Replay = Readonly<{
  /** Kept events after the asked id, oldest first. */
  events: readonly NumberedEvent[];
  /** True when events after the asked id are not there any more, and the asker has to look for itself. */
  gap: boolean;
  /** Id of the oldest event that is kept; undefined when there is none. */
  oldest: number | undefined;
  /** No event has a higher id yet, and all that come will: the last one's, or where the count begins. */
  latest: number;
}>;

/** What one instance hands to another for a device that is connected there. Frames are what the device gets. */
export type Delivery =
  | Readonly<{ kind: 'text'; userId: string; deviceId: string; frame: string }>
  | Readonly<{ kind: 'binary'; userId: string; deviceId: string; frame: Uint8Array }>
  | Readonly<{ kind: 'event'; userId: string; event: NumberedEvent }>
  /** There is mail for a device that is connected there. */
  | Readonly<{ kind: 'mail'; userId: string; deviceId: string }>
  /** The routes of a terminal of a device that is connected there have changed. */
  | Readonly<{ kind: 'routes'; userId: string }>
  /** A newer connection of the device has registered: the one with this id is to be closed. */
  | Readonly<{ kind: 'superseded'; userId: string; deviceId: string; connectionId: string }>;

/** A right to resume: who may, until when. */
export type RelaySession = Readonly<{
  sessionId: string;
  /** SHA-256 of the token in hex: the token itself is known to the client alone. */
  tokenHash: string;
  userId: string;
  deviceId: string;
  /** The latest event when it began: what came later is missed by one who comes back without having had any. */
  since?: number;
}>;

/** Which devices watch a terminal session of a desktop. */
export type TerminalRoute = Readonly<{ producerId: string; sessionId: string; consumerId: string }>;

/** Everything rejects with an Error when the shared store does not answer. */
export type Relay = Readonly<{
  /** This process, for others to send to. */
  instance: string;
  /** Takes what other instances, and `publish`, hand to the devices that are connected here. In order, for each user. */
  onDelivery: (take: (delivery: Delivery) => void) => void;
  /** Told when deliveries may have been missed: the store was away. Kept events are to be looked at again. */
  onInterruption: (take: () => void) => void;

  /** Notes a connection, for `PRESENCE_SECONDS`. Answers the connection of the device that it replaces, if any. */
  join: (userId: string, presence: Presence) => Promise<Presence | undefined>;
  /** Says that connections still live; notes them again when they were forgotten. */
  renew: (present: readonly Readonly<{ userId: string; presence: Presence }>[]) => Promise<void>;
  /** Forgets a connection; false when a newer one of the device has taken its place already. */
  leave: (userId: string, presence: Presence) => Promise<boolean>;
  /** The user's connected devices, the latest first. */
  present: (userId: string) => Promise<readonly Presence[]>;

  /** Gives an event the user's next id, keeps it and hands it to every instance with a device of the user. */
  publish: (userId: string, event: RelayEvent, keeping: Keeping) => Promise<number>;
  /** The kept events after an id. Ids that were given out later are above `lastEventId`, whatever happened before. */
  replay: (userId: string, lastEventId: number) => Promise<Replay>;

  /** Hands a frame to a device on another instance; false when nobody took it. */
  send: (presence: Presence, delivery: Delivery) => Promise<boolean>;

  /** Keeps a frame for a device that is away, for `MAIL_SECONDS`; for want of room older ones are shortened. */
  keepMail: (userId: string, deviceId: string, mail: Mail) => Promise<MailReceipt>;
  /** All frames that wait for a device, oldest first; nobody gets them twice. */
  takeMail: (userId: string, deviceId: string) => Promise<readonly string[]>;

  /** Keeps a right to resume for `SESSION_SECONDS`, or prolongs it. */
  keepSession: (session: RelaySession) => Promise<void>;
  session: (sessionId: string) => Promise<RelaySession | undefined>;
  dropSession: (sessionId: string) => Promise<void>;

  addRoute: (userId: string, route: TerminalRoute) => Promise<void>;
  removeRoute: (userId: string, route: TerminalRoute) => Promise<void>;
  routes: (userId: string) => Promise<readonly TerminalRoute[]>;

  ping: () => Promise<void>;
  close: () => Promise<void>;
}>;

/** How long a connection counts without being renewed. */
export const PRESENCE_SECONDS = 45;
/** How long an answer waits for a device that is away. */
export const MAIL_SECONDS = 120;
/** How long a client may stay away and still resume. */
export const SESSION_SECONDS = 24 * 60 * 60;
/** How many events of a user are kept, and for how long. */
export const KEPT_EVENTS = 500;
export const KEPT_SECONDS = 300;
