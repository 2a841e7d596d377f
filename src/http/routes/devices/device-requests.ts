import { isIP } from 'node:net';
import { z } from 'zod';
import type { Call } from '../../endpoint.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { isUuid } from '../../../kernel/ids.ts';
import { eitherSpelling } from '../../either-spelling.ts';
import { isPlain, plainText } from '../../plain-text.ts';
import { isToken, tokenText } from './push-token-body.ts';

const DEEPEST = 8;
const LARGEST_CAPABILITIES = 16 * 1024;

const fault = (name: string, value: unknown, depth: number): string | undefined => {
  if (name.includes('_')) return `"${name.slice(0, 100)}" contains an underscore; the mobile app drops such keys`;
  if (!isPlain(name) || (typeof value === 'string' && !isPlain(value))) return 'must be plain text';
  if (typeof value !== 'object' || value === null) return undefined;
  return depth >= DEEPEST ? `must not be nested deeper than ${DEEPEST} levels` : faultInside(value, depth + 1);
};

const faultInside = (value: object, depth: number): string | undefined => {
  const entries: readonly (readonly [string, unknown])[] = Array.isArray(value)
    ? value.map((member) => ['', member] as const)
    : Object.entries(value);
  for (const [name, member] of entries) {
    const found = fault(name, member, depth);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** What a device can do; keys in camelCase at every depth. */
export type Capabilities = Readonly<Record<string, unknown>>;

const nullToAbsent = <T>(value: T | null | undefined): T | undefined => value ?? undefined;

/** What both kinds of devices send when they register. Fields whose faults have names of their own are checked later. */
const common = {
  deviceName: z.string(),
  platform: z.string(),
  appVersion: z.string(),
  capabilities: z.record(z.string(), z.unknown()).nullish().transform(nullToAbsent),
  pushToken: tokenText.or(z.literal('')).nullish(),
};

/** What is no address helps nobody, and is no reason to keep a device out. */
const addressOrNull = (text: string | null | undefined): string | null =>
  text !== undefined && text !== null && isIP(text.trim()) !== 0 ? text.trim() : null;

const desktop = z.object({
  ...common,
  deviceType: z.string().nullish(),
  platformVersion: plainText(100).nullish(),
  localIps: z.array(plainText(64)).max(64).nullish(),
  publicIp: z.string().nullish().transform(addressOrNull),
  relayEligible: z.boolean().nullish(),
  availablePorts: z.array(z.int().min(1).max(65_535)).max(64).nullish(),
});

const mobile = z.object(common);

export type DesktopBody = z.output<typeof desktop>;
type MobileBody = z.output<typeof mobile>;

/** The body of a desktop's registration. */
export const desktopBody = eitherSpelling<DesktopBody>(desktop);

/** The body of a phone's registration. */
export const mobileBody = eitherSpelling<MobileBody>(mobile);

const ADVICE = {
  invalid_client_type: 'send the header X-Client-Type: desktop',
  invalid_platform: 'send macos, windows or linux for a desktop, at most 50 characters for a mobile device',
  invalid_device_type_for_endpoint: 'only desktops register here; leave deviceType out or send desktop',
  invalid_device_name: 'send a name of at most 255 characters that is not "unknown"',
  invalid_app_version: 'send the version of the app, at most 50 characters',
  invalid_device_id_header: 'send the id of the device, a UUID, as X-Device-ID',
  invalid_token_binding_header: 'send the id of the device, a UUID, as X-Token-Binding, or leave the header out',
  token_binding_mismatch: 'send the same device id as X-Device-ID and X-Token-Binding',
} as const;

/** A refusal whose detail begins with a token that clients know. */
export const refusal = (token: keyof typeof ADVICE): DomainError =>
  new DomainError('bad_request', `${token}: ${ADVICE[token]}`);

/** The device that sends the request, in lowercase; refused unless `X-Device-ID` is a UUID. */
export const sendingDevice = (call: Pick<Call<unknown, unknown>, 'header'>): string => {
  const id = call.header('x-device-id')?.trim();
  if (id === undefined || !isUuid(id)) throw refusal('invalid_device_id_header');
  return id.toLowerCase();
};

/** Refuses capabilities that a client would drop or a store could not keep. */
export const checkCapabilities = (capabilities: Capabilities | undefined): void => {
  if (capabilities === undefined) return;
  const found =
    JSON.stringify(capabilities).length > LARGEST_CAPABILITIES
      ? `must not be longer than ${LARGEST_CAPABILITIES} characters`
      : faultInside(capabilities, 1);
  if (found !== undefined) throw new DomainError('validation_error', `capabilities: ${found}`);
};

const isNameOf = (text: string, max: number): boolean => text.trim() !== '' && text.length <= max && isPlain(text);

/** Refuses a blank, over-long or made-up device name. */
export const checkName = (name: string): void => {
  if (!isNameOf(name, 255) || name.trim().toLowerCase() === 'unknown') throw refusal('invalid_device_name');
};

/** Refuses a blank or over-long version of the app. */
export const checkAppVersion = (version: string): void => {
  if (!isNameOf(version, 50)) throw refusal('invalid_app_version');
};

/** Refuses a blank or over-long platform. */
export const checkPlatform = (platform: string): void => {
  if (!isNameOf(platform, 50)) throw refusal('invalid_platform');
};

const textIn = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** What a device can do and, apart from that, what it tells among it: the open project directory and a push token. */
export const splitCapabilities = (
  given: Capabilities | undefined,
): Readonly<{ capabilities: Capabilities; directory: string | undefined; pushToken: string | undefined }> => {
  const { activeProjectDirectory, devicePushToken, ...capabilities } = given ?? {};
  const pushToken = textIn(devicePushToken);
  return {
    capabilities,
    directory: textIn(activeProjectDirectory),
    pushToken: pushToken !== undefined && isToken(pushToken) ? pushToken : undefined,
  };
};
