import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { isUuid } from '../../src/kernel/ids.ts';
import type { NoticeReader } from '../../src/kernel/payments.ts';
import { instantOf } from './stripe-ids.ts';

const TOLERANCE_SECONDS = 300;
const ID = /^[a-zA-Z]{2,10}(?:_[a-z]{4})?_[A-Za-z0-9]{1,200}$/;

const id = z.string().regex(ID);
/** Objects of no concern to us may have names of their owner's making: they are no names of ours. */
const ref = z
  .union([id, z.object({ id })])
  .nullish()
  .catch(null);

const schema = z.object({
  id: z.string().regex(/^evt_[A-Za-z0-9]{1,200}$/),
  type: z.string().max(200),
  created: z.int().nonnegative(),
  livemode: z.boolean(),
  api_version: z.string().max(100).nullish(),
  data: z.object({
    object: z.looseObject({
      id: id.optional().catch(undefined),
      object: z.string().max(100),
      payment_intent: ref,
      customer: ref,
      metadata: z.record(z.string(), z.string()).nullish().catch(null),
    }),
    previous_attributes: z.looseObject({ customer: ref }).nullish().catch(null),
  }),
});

type Notice = z.output<typeof schema>;

/** The header's time and signatures; undefined when it is none of Stripe's. */
const parsedHeader = (header: string): Readonly<{ time: number; signatures: readonly string[] }> | undefined => {
  const parts = header.split(',').map((part) => part.trim().split('=', 2));
  const valuesOf = (name: string): string[] => parts.flatMap(([key, value]) => (key === name && value ? [value] : []));
  const [time] = valuesOf('t');
  if (time === undefined || !/^\d{1,12}$/.test(time)) return undefined;
  return { time: Number(time), signatures: valuesOf('v1') };
};

/** What Stripe signs notices with, in hex. */
const signatureOf = (secret: string, time: number, body: Buffer): string =>
  createHmac('sha256', secret).update(`${time}.`).update(body).digest('hex');

const isSigned = (header: string, body: Buffer, secret: string, now: Date): boolean => {
  const parsed = parsedHeader(header);
  if (parsed === undefined) return false;
  if (Math.abs(now.getTime() / 1000 - parsed.time) > TOLERANCE_SECONDS) return false;
  const wanted = Buffer.from(signatureOf(secret, parsed.time, body));
  return parsed.signatures.some((given) => {
    const bytes = Buffer.from(given);
    return bytes.length === wanted.length && timingSafeEqual(bytes, wanted);
  });
};

const nameIn = (member: z.output<typeof ref>): string | null =>
  member === null || member === undefined ? null : typeof member === 'string' ? member : member.id;

const customerIn = ({ data: { object, previous_attributes: before } }: Notice): string | null =>
  object.object === 'customer' ? (object.id ?? null) : (nameIn(object.customer) ?? nameIn(before?.customer));

const paymentIn = ({ data: { object } }: Notice): string | null =>
  object.object === 'payment_intent' ? (object.id ?? null) : nameIn(object.payment_intent);

const purchaseIn = ({ data: { object } }: Notice): string | null => {
  const named = object.metadata?.['purchaseId'];
  return named !== undefined && isUuid(named) ? named.toLowerCase() : null;
};

const json = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
};

/** Reads Stripe's notices. The payload itself, with all its personal data, is not kept: names and a hash are. */
export const stripeNotices =
  (secret: string): NoticeReader =>
  (body, header, now) => {
    if (!isSigned(header, body, secret, now)) return undefined;
    const parsed = schema.safeParse(json(body));
    if (!parsed.success) return undefined;
    const notice = parsed.data;
    const { object } = notice.data;
    return {
      noticeId: notice.id,
      type: notice.type,
      objectId: object.id ?? '',
      objectKind: object.object,
      paymentIntentId: paymentIn(notice),
      customerId: customerIn(notice),
      purchaseId: purchaseIn(notice),
      livemode: notice.livemode,
      apiVersion: notice.api_version ?? null,
      createdAt: instantOf(notice.created),
      payloadSha256: createHash('sha256').update(body).digest('hex'),
    };
  };
