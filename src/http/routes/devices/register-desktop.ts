import type { DeviceRegistry } from '../../../../commands/devices/device-registry.ts';
import type { PushTokenDesk } from '../../../../commands/push-tokens/push-token-desk.ts';
import { isUuid } from '../../../kernel/ids.ts';
import { json, userEndpoint, type Call, type Endpoint } from '../../endpoint.ts';
import {
  checkAppVersion,
  checkCapabilities,
  checkName,
  desktopBody,
  refusal,
  sendingDevice,
  splitCapabilities,
  type DesktopBody,
} from './device-requests.ts';
import { microsecondTime } from './device-time.ts';
import { keepToken } from './push-token-body.ts';

const PLATFORMS = ['macos', 'windows', 'linux'];

/** In the order that clients know. */
const check = ({ body, header }: Call<DesktopBody, undefined>): void => {
  checkCapabilities(body.capabilities);
  if (header('x-client-type') !== 'desktop') throw refusal('invalid_client_type');
  if (!PLATFORMS.includes(body.platform)) throw refusal('invalid_platform');
  if ((body.deviceType ?? 'desktop') !== 'desktop') throw refusal('invalid_device_type_for_endpoint');
  checkName(body.deviceName);
  checkAppVersion(body.appVersion);
};

const checkBinding = (deviceId: string, binding: string | undefined): void => {
  if (binding === undefined) return;
  if (!isUuid(binding)) throw refusal('invalid_token_binding_header');
  if (binding.toLowerCase() !== deviceId) throw refusal('token_binding_mismatch');
};

const profileOf = (body: DesktopBody, split: ReturnType<typeof splitCapabilities>) => {
  const relayEligible = body.relayEligible ?? true;
  return {
    kind: 'desktop',
    platform: body.platform,
    platformVersion: body.platformVersion ?? null,
    appVersion: body.appVersion,
    relayEligible,
    presence: relayEligible ? 'online' : 'offline',
    details: {
      name: body.deviceName.trim(),
      localIps: body.localIps ?? [],
      publicIp: body.publicIp,
      availablePorts: body.availablePorts ?? [],
      capabilities: split.capabilities,
    },
    directory: split.directory,
  } as const;
};

type Deps = Readonly<{ registry: Pick<DeviceRegistry, 'register'>; tokens: Pick<PushTokenDesk, 'store'> }>;

/** A desktop makes itself known before it opens its socket; `path` because the public documents name another one. */
export const registerDesktop = ({ registry, tokens }: Deps, path: '/api/devices/register' | '/api/devices'): Endpoint =>
  userEndpoint({
    method: 'POST',
    path,
    limit: 'write',
    body: desktopBody,
    handle: async (call: Call<DesktopBody, undefined>, { userId }) => {
      const deviceId = sendingDevice(call);
      check(call);
      checkBinding(deviceId, call.header('x-token-binding'));
      const whose = { deviceId, userId };
      const split = splitCapabilities(call.body.capabilities);
      const device = await registry.register(whose, profileOf(call.body, split), call.cause);
      await keepToken(tokens, whose, [call.body.pushToken, split.pushToken], call.cause);
      return json(201, {
        deviceId,
        status: device.presence,
        createdAt: microsecondTime(device.since),
        updatedAt: microsecondTime(device.seenAt),
      });
    },
  });
