import type { Announcer } from './announcing.ts';
import { activeSessions } from './active-sessions.ts';
import { isObject, textOf, type ClientMessage } from './client-message.ts';
import type { Registered } from './connections.ts';
import { LARGEST_FOR_DESKTOPS } from './frames.ts';
import { activeSessionIn, eventFault } from './event-rules.ts';

type Payload = Readonly<Record<string, unknown>>;

/** What devices say that is kept beyond the link. What it does may take its time, and its failures are its own. */
export type DeviceNotes = Readonly<{
  beat: (connection: Registered, payload: Payload) => void;
  visibility: (connection: Registered, visible: boolean) => void;
  directory: (connection: Registered, directory: string) => void;
}>;

type ActiveSession = Readonly<{ sessionId: string; projectDirectory?: string }>;

/** What devices tell the others. Both reject when the relay does not answer. */
export type DeviceEvents = Readonly<{
  /** Hands an event of a device on; answers what is wrong with it. */
  event: (connection: Registered, message: ClientMessage) => Promise<string | undefined>;
  /** Tells the others which session a device works in, when that is news. */
  activeSession: (connection: Registered, active: ActiveSession) => Promise<void>;
}>;

const LONGEST_TYPE = 256;
const TOO_LARGE = 'desktops take no event of 16 MiB; send less';

export const deviceEvents = (announce: Announcer, notes: DeviceNotes): DeviceEvents => {
  const active = activeSessions();

  const isNews = ({ caller, entry }: Registered, sessionId: string): boolean =>
    active.isNews(caller.userId, entry.presence.deviceId, sessionId);

  const activeSession: DeviceEvents['activeSession'] = async (connection, session) => {
    if (!isNews(connection, session.sessionId)) return;
    const { caller, entry } = connection;
    const said = { eventType: 'active-session-changed', payload: session };
    await announce.event(caller.userId, entry.presence.deviceId, said);
  };

  /** What some events change beyond being handed on. */
  const note = (connection: Registered, eventType: string, said: unknown): void => {
    if (!isObject(said)) return;
    if (eventType === 'device-visibility-updated' && typeof said['visible'] === 'boolean') {
      notes.visibility(connection, said['visible']);
    }
    const directory = textOf(said, 'projectDirectory');
    if (eventType === 'project-directory-updated' && directory !== undefined) notes.directory(connection, directory);
    const sessionId = textOf(said, 'sessionId');
    if (eventType === 'active-session-changed' && sessionId !== undefined) isNews(connection, sessionId);
  };

  return {
    activeSession,
    event: async (connection, { payload, unreadable, bytes }) => {
      const eventType = textOf(payload, 'eventType', LONGEST_TYPE);
      if (eventType === undefined) return 'an event needs a payload with eventType';
      const said = payload?.['payload'] ?? null;
      const fault = unreadable ?? (bytes > LARGEST_FOR_DESKTOPS ? TOO_LARGE : eventFault(eventType, said));
      if (fault !== undefined) return `${eventType}: ${fault}`;
      const session = activeSessionIn(eventType, said);
      if (session !== undefined) await activeSession(connection, session);
      note(connection, eventType, said);
      const { caller, entry } = connection;
      await announce.event(caller.userId, entry.presence.deviceId, { eventType, payload: said }, bytes);
      return undefined;
    },
  };
};
