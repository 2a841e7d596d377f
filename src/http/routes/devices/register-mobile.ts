import type { DeviceLinks } from '../../../../commands/devices/device-presence.ts';
import type { DeviceRegistry } from '../../../../commands/devices/device-registry.ts';
import type { PushTokenDesk } from '../../../../commands/push-tokens/push-token-desk.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import {
  checkAppVersion,
  checkCapabilities,
  checkName,
  checkPlatform,
  mobileBody,
  sendingDevice,
  splitCapabilities,
} from './device-requests.ts';
import { keepToken } from './push-token-body.ts';

type Deps = Readonly<{
  registry: Pick<DeviceRegistry, 'register'>;
  tokens: Pick<PushTokenDesk, 'store'>;
  links: DeviceLinks;
}>;

/** A phone makes itself known after signing in. */
export const registerMobile = ({ registry, tokens, links }: Deps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/devices/mobile/register',
    limit: 'write',
    body: mobileBody,
    handle: async (call, { userId }) => {
      const deviceId = sendingDevice(call);
      const { deviceName, platform, appVersion } = call.body;
      checkCapabilities(call.body.capabilities);
      checkPlatform(platform);
      checkName(deviceName);
      checkAppVersion(appVersion);
      const { capabilities, directory, pushToken } = splitCapabilities(call.body.capabilities);
      const name = deviceName.trim();
      const whose = { deviceId, userId };
      await registry.register(
        whose,
        {
          kind: 'mobile',
          platform,
          platformVersion: null,
          appVersion,
          relayEligible: false,
          presence: 'offline',
          details: { name, localIps: [], publicIp: null, availablePorts: [], capabilities },
          directory,
        },
        call.cause,
      );
      await keepToken(tokens, whose, [call.body.pushToken, pushToken], call.cause);
      const isConnected = await links.isConnected(userId, deviceId);
      return json(201, { deviceId, deviceName: name, deviceType: 'mobile', platform, appVersion, isConnected });
    },
  });
