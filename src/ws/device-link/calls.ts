import type { Clock } from '../../kernel/clock.ts';
import { isUuid } from '../../kernel/ids.ts';
import type { Presence } from '../../kernel/relay.ts';
import { serialByKey } from '../../kernel/serial.ts';
import { textOf, type ClientMessage } from './client-message.ts';
import type { Connection, Registered } from './connections.ts';
import { callKey, DESKTOP_OFFLINE, errorFrame, INTERNAL_ERROR, rpcErrorFrame, rpcResponseFrame } from './frames.ts';
import { heldCalls, type WaitingCall } from './held-calls.ts';
import type { PostOffice } from './post-office.ts';
import type { KeptFrame } from './receipts.ts';
import { answerPayload, callId, callIn, callOf } from './rpc.ts';
import type { LinkTiming } from './timing.ts';
import type { Whereabouts } from './whereabouts.ts';

/** Calls of phones to the user's desktop, and its answers. */
export type Calls = Readonly<{
  /** Every request is answered, by the desktop or by us. */
  request: (connection: Registered, message: ClientMessage) => Promise<void>;
  response: (connection: Registered, message: ClientMessage) => Promise<void>;
  /** To be told of a call that a desktop may not have got before it went. */
  returned: (desktopId: string, kept: KeptFrame) => Promise<void>;
  /** True when a call that was brought here has to wait behind others of its caller; then it does. */
  waitsBehind: (desktopId: string, frame: string) => boolean;
  /** To be told when a desktop of a user has come or, with its id, gone. Resolves when what waited has been brought. */
  desktopCame: (userId: string) => Promise<void>;
  desktopLeft: (userId: string, deviceId: string) => void;
  sweep: () => void;
  held: () => number;
}>;

type Deps = Readonly<{
  office: PostOffice;
  whereabouts: Whereabouts;
  newId: () => string;
  timing: Pick<LinkTiming, 'holdMs' | 'recentlyMs'>;
  clock: Clock;
}>;

type Fate = 'brought' | 'no desktop' | 'not reached';

const isFor =
  ({ clientId, target }: WaitingCall) =>
  ({ role, deviceId }: Presence): boolean =>
    role === 'desktop' && deviceId !== clientId && (target === undefined || target === deviceId);

export const calls = ({ office, whereabouts, newId, timing, clock }: Deps): Calls => {
  const now = (): number => clock().getTime();
  const left = new Map<string, Readonly<{ deviceId: string; at: number }>>();

  const bringToOne = async (call: WaitingCall, desktops: readonly Presence[]): Promise<boolean> => {
    for (const { deviceId } of desktops) if (await office.sendText(call.userId, deviceId, call.frame)) return true;
    return false;
  };

  /** Brings a call to the desktop that came last, or to the next when that cannot be reached. */
  const bring = async (call: WaitingCall): Promise<Fate> => {
    const believed = (await whereabouts.present(call.userId)).filter(isFor(call));
    if (await bringToOne(call, believed)) return 'brought';
    const tried = new Set(believed.map(({ connectionId }) => connectionId));
    const there = (await whereabouts.presentNow(call.userId)).filter(isFor(call));
    const fresh = there.filter(({ connectionId }) => !tried.has(connectionId));
    if (await bringToOne(call, fresh)) return 'brought';
    return there.length > 0 ? 'not reached' : 'no desktop';
  };

  const giveUp = ({ userId, clientId, id }: WaitingCall): Promise<void> =>
    office.sendMail(userId, clientId, rpcErrorFrame(id, DESKTOP_OFFLINE));

  const held = heldCalls({ bring: async (call) => (await bring(call)) === 'brought', giveUp, now });

  const mayComeBack = ({ userId, clientId }: WaitingCall): boolean => {
    const last = left.get(userId);
    return last !== undefined && last.deviceId !== clientId && now() - last.at < timing.recentlyMs;
  };

  const bringOrHold = async (call: WaitingCall): Promise<void> => {
    if (held.isHolding(call.userId, call.clientId)) {
      if (!held.hold(call)) await giveUp(call);
      return;
    }
    const fate = await bring(call);
    if (fate === 'brought') return;
    const isWorthWaiting = fate === 'not reached' || call.target !== undefined || mayComeBack(call);
    if (!isWorthWaiting || !held.hold(call)) await giveUp(call);
  };

  const inOrder = serialByKey();

  const answer = (connection: Connection, frame: string): void => connection.outbox.send(frame, 'kept');

  return {
    request: async (connection, message) => {
      const id = callId(message.payload) ?? newId();
      const { deviceId } = connection.entry.presence;
      const call = callOf(message, id, { userId: connection.caller.userId, deviceId });
      if ('code' in call) return answer(connection, rpcErrorFrame(id, call));
      try {
        await bringOrHold({ ...call, until: now() + timing.holdMs });
      } catch {
        const error = { code: INTERNAL_ERROR, message: 'the relay does not answer just now; try again' };
        answer(connection, rpcErrorFrame(id, error));
      }
    },
    response: async (connection, message) => {
      const clientId = textOf(message.payload, 'clientId')?.toLowerCase();
      if (clientId === undefined || !isUuid(clientId)) {
        const refusal = errorFrame('missingClientId', 'an answer needs the clientId of its call', clock());
        return connection.outbox.send(refusal, 'vital');
      }
      const id = callId(message.payload);
      if (id !== undefined) connection.outbox.settle(callKey(clientId, id));
      await office.sendMail(connection.caller.userId, clientId, rpcResponseFrame(answerPayload(message)));
    },
    returned: (desktopId, { frame, at }) => {
      const call: WaitingCall = { ...callIn(frame), until: now() + timing.holdMs, target: desktopId };
      return inOrder(call.userId, () =>
        now() - at > timing.recentlyMs ? giveUp(call) : bringOrHold(call).catch(() => giveUp(call)),
      );
    },
    waitsBehind: (desktopId, frame) => {
      if (held.size() === 0) return false;
      const call: WaitingCall = { ...callIn(frame), until: now() + timing.holdMs, target: desktopId };
      return held.isHolding(call.userId, call.clientId) && held.hold(call);
    },
    desktopCame: (userId) => {
      left.delete(userId);
      return held.wake(userId);
    },
    desktopLeft: (userId, deviceId) => void left.set(userId, { deviceId, at: now() }),
    sweep: () => {
      for (const [userId, { at }] of left) if (now() - at >= timing.recentlyMs) left.delete(userId);
    },
    held: held.size,
  };
};
