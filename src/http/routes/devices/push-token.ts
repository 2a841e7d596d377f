import type { PushTokenDesk } from '../../../../commands/push-tokens/push-token-desk.ts';
import { json, userEndpoint, type Call, type Caller, type Endpoint } from '../../endpoint.ts';
import { uuidParams } from '../../path-params.ts';
import { sendingDevice } from './device-requests.ts';
import { microsecondTime } from './device-time.ts';
import { handedIn, pushTokenBody, type TokenBody } from './push-token-body.ts';

type Deps = Readonly<{ tokens: Pick<PushTokenDesk, 'store'> }>;

/** The mobile app hands its token in while it registers: whichever comes first makes the device. */
const notRegisteredYet = (platform: string | null | undefined) =>
  ({
    kind: 'mobile',
    platform: platform ?? 'ios',
    platformVersion: null,
    appVersion: 'unknown',
    relayEligible: false,
    presence: 'offline',
    details: { name: 'Mobile device', localIps: [], publicIp: null, availablePorts: [], capabilities: {} },
  }) as const;

const storeOfSender = async ({ tokens }: Deps, call: Call<TokenBody, undefined>, { userId }: Caller) => {
  const deviceId = sendingDevice(call);
  const { token, ...beside } = call.body;
  const placeholder = notRegisteredYet(beside.platform);
  await tokens.store({ deviceId, userId }, handedIn(token, beside), placeholder, call.cause);
  return json(200, { success: true });
};

/** The push token of the device that sends it. */
export const tokenOfSender = (deps: Deps): Endpoint =>
  userEndpoint({
    method: 'PUT',
    path: '/api/devices/push-token',
    limit: 'write',
    body: pushTokenBody,
    handle: (call: Call<TokenBody, undefined>, caller) => storeOfSender(deps, call, caller),
  });

/** The same by the name that some releases of the mobile app know. */
export const tokenRegistered = (deps: Deps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/devices/push/register',
    limit: 'write',
    body: pushTokenBody,
    handle: (call: Call<TokenBody, undefined>, caller) => storeOfSender(deps, call, caller),
  });

/** The push token of the device that the path names. */
export const tokenOfDevice = ({ tokens }: Deps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/devices/:deviceId/push-token',
    limit: 'write',
    params: uuidParams('deviceId'),
    body: pushTokenBody,
    handle: async ({ params, body, cause }: Call<TokenBody, undefined>, { userId }) => {
      const { token, ...beside } = body;
      await tokens.store({ deviceId: params['deviceId'] ?? '', userId }, handedIn(token, beside), undefined, cause);
      return json(200, { status: 'push_token_saved', timestamp: microsecondTime(cause.at) });
    },
  });
