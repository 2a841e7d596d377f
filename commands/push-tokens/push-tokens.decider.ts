import type { PushTokenEvent } from '../../src/events/push-token/push-token.events.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import { never } from '../../src/kernel/never.ts';
import type { ClaimPushToken, LearnEnvironment, PushTokenCommand, ReleasePushToken } from './push-tokens.commands.ts';
import type { PushToken } from './push-tokens.state.ts';

const claim = ({ data: { afresh, ...data } }: ClaimPushToken, state: PushToken): readonly PushTokenEvent[] => {
  const environment = data.environment ?? state.environment;
  const bundleId = data.bundleId ?? state.bundleId;
  const isSame =
    !afresh &&
    state.status === 'held' &&
    state.userId === data.userId &&
    state.deviceId === data.deviceId &&
    state.platform === data.platform &&
    state.environment === environment &&
    state.bundleId === bundleId;
  return isSame ? [] : [{ type: 'PushTokenClaimed', data: { ...data, environment, bundleId } }];
};

const release = ({ data }: ReleasePushToken, state: PushToken): readonly PushTokenEvent[] => {
  const { tokenHash, deviceId, reason, goneSince, at } = data;
  if (state.status === 'free' || state.deviceId !== deviceId) return [];
  // The app has handed it in again since: the push service's word is about an earlier life of it.
  if (goneSince !== null && Date.parse(state.claimedAt) > Date.parse(goneSince)) return [];
  return [{ type: 'PushTokenReleased', data: { tokenHash, userId: state.userId, deviceId, reason, at } }];
};

const learn = ({ data }: LearnEnvironment, state: PushToken): readonly PushTokenEvent[] => {
  if (state.status === 'free' || state.deviceId !== data.deviceId || state.environment === data.environment) return [];
  return [{ type: 'PushTokenEnvironmentLearned', data: { ...data, userId: state.userId } }];
};

const decide = (command: PushTokenCommand, state: PushToken): readonly PushTokenEvent[] => {
  switch (command.type) {
    case 'ClaimPushToken':
      return claim(command, state);
    case 'ReleasePushToken':
      return release(command, state);
    case 'LearnEnvironment':
      return learn(command, state);
    default:
      return never(command);
  }
};

const evolve = (state: PushToken, event: PushTokenEvent): PushToken => {
  switch (event.type) {
    case 'PushTokenClaimed': {
      const { userId, deviceId, platform, environment, bundleId, at } = event.data;
      return { status: 'held', userId, deviceId, platform, environment, bundleId, claimedAt: at };
    }
    case 'PushTokenEnvironmentLearned':
      return { ...state, environment: event.data.environment };
    case 'PushTokenReleased':
      return { status: 'free', environment: state.environment, bundleId: state.bundleId };
    default:
      return never(event);
  }
};

/** Decides which device a push token reaches: at most one at a time. */
export const pushTokenDecider: Decider<PushToken, PushTokenCommand, PushTokenEvent> = {
  initial: { status: 'free', environment: null, bundleId: null },
  evolve,
  decide,
};
