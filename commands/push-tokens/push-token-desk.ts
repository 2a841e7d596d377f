import { createHmac } from 'node:crypto';
import { PUSH_TOKEN, type PushTokenEvent, type ReleaseReason } from '../../src/events/push-token/push-token.events.ts';
import { streamOf } from '../../src/kernel/aggregate.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import type { Cause, IsoTime } from '../../src/kernel/message.ts';
import type { PushEnvironment } from '../../src/kernel/push.ts';
import type { SubjectVault } from '../../src/kernel/vault.ts';
import type { DeviceProfile, DeviceRegistry, Whose } from '../devices/device-registry.ts';
import type { PushTokenCommand } from './push-tokens.commands.ts';
import type { PushToken } from './push-tokens.state.ts';

/** A push token as an app hands it in. */
export type HandedIn = Readonly<{
  token: string;
  /** Null: the device's own. */
  platform: string | null;
  environment: PushEnvironment | null;
  bundleId: string | null;
}>;

/** A token on a device, as the read model knows it. */
export type TokenOnDevice = Readonly<{ tokenHash: string; deviceId: string }>;

/** Keeps the push tokens: apart from devices, one device a token and one token a device. */
export type PushTokenDesk = Readonly<{
  /**
   * The device is reached by this token from now on. `placeholder` makes a device of what nobody has yet (a stranger's is
   * forbidden then); without it, what is not the user's device is refused as not_found. Safe to repeat.
   */
  store: (
    whose: Whose,
    handedIn: HandedIn,
    placeholder: Omit<DeviceProfile, 'directory'> | undefined,
    cause: Cause,
  ) => Promise<void>;
  /** The device is not reached any more; says nothing about a device that has no token or is not the user's. */
  drop: (whose: Whose, reason: ReleaseReason, cause: Cause) => Promise<void>;
  /** Takes the device off the user's list, and its token with it. Refused as `DeviceRegistry.remove` is. */
  removeDevice: (whose: Whose, cause: Cause) => Promise<void>;
  /** The push service says that the token reaches nothing, since when, if it says that. */
  gone: (on: TokenOnDevice, since: IsoTime | null, cause: Cause) => Promise<void>;
  /**
   * Releases a token whose device does not say that it is its own: what a crash between the two left undone. Says nothing
   * when it is the device's token after all.
   */
  releaseStale: (held: TokenOnDevice & Readonly<{ userId: string }>, cause: Cause) => Promise<void>;
  /** Sending has shown where the token belongs. */
  learnt: (on: TokenOnDevice, environment: PushEnvironment, cause: Cause) => Promise<void>;
}>;

type Deps = Readonly<{
  tokens: CommandHandler<PushToken, PushTokenCommand, PushTokenEvent>;
  registry: Pick<DeviceRegistry, 'changePushToken' | 'remove' | 'holder'>;
  vault: Pick<SubjectVault, 'seal'>;
  /** Names the streams of tokens, so that no stream's name tells a token. Equal on all instances, for ever. */
  hashKey: string;
}>;

const HEX = /^[0-9a-f]+$/i;

/** Apple's tokens are hex, whose case says nothing. */
const normal = (token: string): string => (HEX.test(token) ? token.toLowerCase() : token);

/** Three streams take part: the device says whose it is, the new token whom it reaches, the old one that it is free. */
export const pushTokenDesk = ({ tokens, registry, vault, hashKey }: Deps): PushTokenDesk => {
  const hashOf = (token: string): string => createHmac('sha256', hashKey).update(`push:${token}`, 'utf8').digest('hex');

  const release = async (
    { tokenHash, deviceId }: TokenOnDevice,
    reason: ReleaseReason,
    goneSince: IsoTime | null,
    cause: Cause,
  ): Promise<void> => {
    const key = `release:${deviceId}:${cause.causationId}:${cause.at}`;
    const data = { tokenHash, deviceId, reason, goneSince, at: cause.at };
    await tokens.handle(tokenHash, { type: 'ReleasePushToken', key, data }, cause);
  };

  const claim = async (
    { userId, deviceId }: Whose,
    tokenHash: string,
    handedIn: HandedIn & Readonly<{ platform: string; afresh: boolean }>,
    cause: Cause,
  ): Promise<void> => {
    const token = await vault.seal(userId, streamOf({ category: PUSH_TOKEN }, tokenHash), handedIn.token);
    const platform = handedIn.platform.trim().toLowerCase();
    const { environment, bundleId, afresh } = handedIn;
    const data = { tokenHash, deviceId, userId, platform, environment, bundleId, token, afresh, at: cause.at };
    const key = `claim:${deviceId}:${cause.causationId}:${cause.at}`;
    await tokens.handle(tokenHash, { type: 'ClaimPushToken', key, data }, cause);
  };

  const detached = async (whose: Whose, cause: Cause): Promise<string | null> => {
    try {
      return (await registry.changePushToken(whose, null, undefined, cause)).before;
    } catch (error) {
      if (isDomainError(error) && error.errorType === 'not_found') return null;
      throw error;
    }
  };

  return {
    store: async (whose, handedIn, placeholder, cause) => {
      const token = normal(handedIn.token);
      const tokenHash = hashOf(token);
      const { deviceId } = whose;
      // The device comes first: it alone knows whether the caller may.
      const changed = await registry.changePushToken(whose, tokenHash, placeholder, cause);
      const { isNews: afresh, before, platform: own } = changed;
      await claim(whose, tokenHash, { ...handedIn, token, platform: handedIn.platform ?? own, afresh }, cause);
      if (before !== null) await release({ tokenHash: before, deviceId }, 'replaced', null, cause);
    },
    drop: async (whose, reason, cause) => {
      const tokenHash = await detached(whose, cause);
      if (tokenHash !== null) await release({ tokenHash, deviceId: whose.deviceId }, reason, null, cause);
    },
    removeDevice: async (whose, cause) => {
      const tokenHash = await registry.remove(whose, cause);
      if (tokenHash !== null) await release({ tokenHash, deviceId: whose.deviceId }, 'device_removed', null, cause);
    },
    releaseStale: async ({ userId, ...on }, cause) => {
      const holder = await registry.holder(on.deviceId);
      const isTheirs = holder?.userId === userId;
      if (isTheirs && holder.pushTokenHash === on.tokenHash) return;
      const left = holder?.pushTokenHash === null ? 'signed_out' : 'replaced';
      // What is handed in from now on is claimed afresh, and stays.
      await release(on, isTheirs ? left : 'device_removed', cause.at, cause);
    },
    gone: (on, since, cause) => release(on, 'gone', since, cause),
    learnt: async ({ tokenHash, deviceId }, environment, cause) => {
      const key = `learn:${deviceId}:${environment}:${cause.at}`;
      const data = { tokenHash, deviceId, environment, at: cause.at };
      await tokens.handle(tokenHash, { type: 'LearnEnvironment', key, data }, cause);
    },
  };
};
