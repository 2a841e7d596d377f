import type { DeviceLinks, Heartbeats } from '../../../../commands/devices/device-presence.ts';
import type { DeviceRegistry } from '../../../../commands/devices/device-registry.ts';
import type { PushTokenDesk } from '../../../../commands/push-tokens/push-token-desk.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import type { Endpoint } from '../../endpoint.ts';
import { connectionDescriptor } from './connection-descriptor.ts';
import { heartbeatOfDevice, heartbeatOfSender } from './heartbeat.ts';
import { presenceHistory } from './presence-history.ts';
import { tokenOfDevice, tokenOfSender, tokenRegistered } from './push-token.ts';
import { listDevicesEndpoint } from './list-devices.ts';
import { registerDesktop } from './register-desktop.ts';
import { registerMobile } from './register-mobile.ts';
import { removeDevice } from './remove-device.ts';

export type DeviceEndpointDeps = Readonly<{
  registry: DeviceRegistry;
  tokens: PushTokenDesk;
  queries: Pick<QueryRunner, 'asUser'>;
  links: DeviceLinks;
  beats: Heartbeats;
}>;

/** Everything under `/api/devices`. */
export const deviceEndpoints = (deps: DeviceEndpointDeps): readonly Endpoint[] => [
  registerDesktop(deps, '/api/devices/register'),
  registerDesktop(deps, '/api/devices'),
  registerMobile(deps),
  listDevicesEndpoint(deps),
  heartbeatOfDevice(deps),
  heartbeatOfSender(deps),
  tokenOfSender(deps),
  tokenRegistered(deps),
  tokenOfDevice(deps),
  presenceHistory(deps),
  removeDevice(deps),
  connectionDescriptor(),
];
