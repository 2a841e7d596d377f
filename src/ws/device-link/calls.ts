import type { Clock } from '../../kernel/clock.ts';
import { isUuid } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Presence } from '../../kernel/relay.ts';
import { serialByKey } from '../../kernel/serial.ts';
import { textOf, type ClientMessage } from './client-message.ts';
import type { Registered } from './connections.ts';
import {
  callKey,
  DESKTOP_OFFLINE,
  errorFrame,
  OUT_OF_SIGHT,
  rpcErrorFrame,
  rpcResponseFrame,
  TOO_MANY_CALLS,
  type RpcError,
} from './frames.ts';
import { heldCalls, type WaitingCall } from './held-calls.ts';
import type { PostOffice } from './post-office.ts';
import type { KeptFrame } from './receipts.ts';
import { answerPayload, callId, callIn, callOf, type Call } from './rpc.ts';
import type { LinkTiming } from './timing.ts';
import type { Whereabouts } from './whereabouts.ts';

/** Calls of phones to the user's desktop, and its answers. */
export type Calls = Readonly<{
  /** Every request is answered, by the desktop or by us. Both are undefined when that is done already. */
  request: (connection: Registered, message: ClientMessage) => Promise<void> | undefined;
  response: (connection: Registered, message: ClientMessage) => Promise<void> | undefined;
  /** To be told of a call that a desktop may not have got before it went. Never rejects. */
  returned: (desktopId: string, kept: KeptFrame) => Promise<void>;
  /** To be told of a call that came for a desktop which had gone. Never rejects. */
  undelivered: (desktopId: string, frame: string) => Promise<void>;
  /** Whether a call that a desktop may not have got is still worth bringing; if not, its caller is told. Never rejects. */
  isStillWanted: (kept: KeptFrame) => Promise<boolean>;
  /** True when a call that was brought here has to wait behind others of its caller; then it does. */
  waitsBehind: (desktopId: string, frame: string) => boolean;
  /** To be told when a desktop of a user has come or, with its id, gone. Resolves when what waited has been brought. */
  desktopCame: (userId: string) => Promise<void>;
  desktopLeft: (userId: string, deviceId: string) => void;
  /** To be told when devices of other instances may be in sight again. */
  sightBack: () => void;
  sweep: () => void;
  held: () => number;
}>;

type Deps = Readonly<{
  office: PostOffice;
  whereabouts: Whereabouts;
  newId: () => string;
  timing: Pick<LinkTiming, 'holdMs' | 'recentlyMs'>;
  clock: Clock;
  logger: Logger;
}>;

type Fate = 'brought' | 'no desktop' | 'not reached' | 'out of sight';

const isFor =
  ({ clientId, target }: Pick<WaitingCall, 'clientId' | 'target'>) =>
  ({ role, deviceId }: Presence): boolean =>
    role === 'desktop' && deviceId !== clientId && (target === undefined || target === deviceId);

const refusalOf = (fate: Exclude<Fate, 'brought'>): RpcError =>
  fate === 'out of sight' ? OUT_OF_SIGHT : DESKTOP_OFFLINE;

export const calls = ({ office, whereabouts, newId, timing, clock, logger }: Deps): Calls => {
  const now = (): number => clock().getTime();
  const left = new Map<string, Readonly<{ deviceId: string; at: number }>>();

  const bringToOne = async (call: WaitingCall, desktops: readonly Presence[]): Promise<boolean> => {
    for (const { deviceId } of desktops) if (await office.sendText(call.userId, deviceId, call.frame)) return true;
    return false;
  };

  const look = async (call: WaitingCall): Promise<Fate> => {
    const believed = (await whereabouts.present(call.userId)).filter(isFor(call));
    if (await bringToOne(call, believed)) return 'brought';
    const tried = new Set(believed.map(({ connectionId }) => connectionId));
    const { devices, isAll } = await whereabouts.lookAround(call.userId);
    const there = devices.filter(isFor(call));
    const fresh = there.filter(({ connectionId }) => !tried.has(connectionId));
    if (await bringToOne(call, fresh)) return 'brought';
    if (!isAll) return 'out of sight';
    return there.length > 0 ? 'not reached' : 'no desktop';
  };

  /** Brings a call to the desktop that came last, or to the next when that cannot be reached. */
  const bring = (call: WaitingCall): Promise<Fate> =>
    look(call).catch((error: unknown) => {
      logger.warn({ err: error, userId: call.userId }, 'a call could not be brought to where its desktop is');
      return 'out of sight' as const;
    });

  const giveUp = ({ userId, clientId, id }: WaitingCall, why: RpcError): Promise<boolean> =>
    office.sendMail(userId, clientId, rpcErrorFrame(id, why));

  const held = heldCalls({
    bring: async (call) => {
      const fate = await bring(call);
      return fate === 'brought' ? undefined : refusalOf(fate);
    },
    giveUp,
    now,
  });

  const mayComeBack = ({ userId, clientId }: WaitingCall): boolean => {
    const last = left.get(userId);
    return last !== undefined && last.deviceId !== clientId && now() - last.at < timing.recentlyMs;
  };

  const bringOrHold = async (call: WaitingCall): Promise<void> => {
    if (held.isHolding(call.userId, call.clientId)) {
      if (!held.hold(call)) await giveUp(call, TOO_MANY_CALLS);
      return;
    }
    const fate = await bring(call);
    if (fate === 'brought') return;
    const isWorthWaiting = fate !== 'no desktop' || call.target !== undefined || mayComeBack(call);
    if (!isWorthWaiting) await giveUp(call, refusalOf(fate));
    else if (!held.hold(call)) await giveUp(call, TOO_MANY_CALLS);
  };

  /** True when the desktop that came last is connected here: most calls need no more. */
  const isBroughtAtOnce = (call: Call): boolean => {
    if (held.isHolding(call.userId, call.clientId)) return false;
    const [latest] = whereabouts.presentAtOnce(call.userId)?.filter(isFor(call)) ?? [];
    return latest !== undefined && office.sendHere(call.userId, latest.deviceId, call.frame);
  };

  const mail = async ({ caller, outbox }: Registered, clientId: string, frame: string): Promise<void> => {
    if (await office.sendMail(caller.userId, clientId, frame)) return;
    const why = `the answer to ${clientId} is lost: too much waits for the devices of this user that are away`;
    outbox.send(errorFrame('forwardFailed', why, clock()), 'vital');
  };

  const inOrder = serialByKey();

  const isOld = ({ at }: KeptFrame): boolean => now() - at > timing.recentlyMs;
  const returnedCall = (frame: string, target: string): WaitingCall => ({
    ...callIn(frame),
    until: now() + timing.holdMs,
    target,
  });

  return {
    request: (connection, message) => {
      const id = callId(message.payload) ?? newId();
      const { deviceId } = connection.entry.presence;
      const call = callOf(message, id, { userId: connection.caller.userId, deviceId });
      if ('code' in call) {
        connection.outbox.send(rpcErrorFrame(id, call), 'kept');
        return undefined;
      }
      if (isBroughtAtOnce(call)) return undefined;
      return bringOrHold({ ...call, until: now() + timing.holdMs });
    },
    response: (connection, message) => {
      const { caller, outbox } = connection;
      const clientId = textOf(message.payload, 'clientId')?.toLowerCase();
      if (clientId === undefined || !isUuid(clientId)) {
        const refusal = errorFrame('missingClientId', 'an answer needs the clientId of its call', clock());
        outbox.send(refusal, 'vital');
        return undefined;
      }
      const id = callId(message.payload);
      if (id !== undefined) outbox.settle(callKey(clientId, id));
      const frame = rpcResponseFrame(answerPayload(message));
      return office.sendHere(caller.userId, clientId, frame) ? undefined : mail(connection, clientId, frame);
    },
    returned: async (desktopId, kept) => {
      const call = { ...returnedCall(kept.frame, desktopId), mayBeGot: true };
      await inOrder(call.userId, async () => {
        if (isOld(kept)) await giveUp(call, DESKTOP_OFFLINE);
        else await bringOrHold(call);
      });
    },
    undelivered: (desktopId, frame) => {
      const call = returnedCall(frame, desktopId);
      return inOrder(call.userId, () => bringOrHold(call));
    },
    isStillWanted: async (kept) => {
      if (!isOld(kept)) return true;
      await giveUp(returnedCall(kept.frame, ''), DESKTOP_OFFLINE);
      return false;
    },
    waitsBehind: (desktopId, frame) => {
      if (held.size() === 0) return false;
      const call = returnedCall(frame, desktopId);
      return held.isHolding(call.userId, call.clientId) && held.hold(call);
    },
    desktopCame: (userId) => {
      left.delete(userId);
      return held.wake(userId);
    },
    desktopLeft: (userId, deviceId) => void left.set(userId, { deviceId, at: now() }),
    sightBack: held.wakeAll,
    sweep: () => {
      for (const [userId, { at }] of left) if (now() - at >= timing.recentlyMs) left.delete(userId);
    },
    held: held.size,
  };
};
