import { numberAt, type Form } from './form.ts';
import { StripeRefusal, type World } from './world.ts';

/** One call of the API: what it answers. `ids` are the ids in the path. */
export type ApiCall = (world: World, form: Form, ...ids: readonly string[]) => unknown;
export type ApiCalls = Readonly<Record<string, ApiCall>>;

/** A refusal of what was sent. */
export const badRequest = (message: string, code = 'parameter_invalid'): StripeRefusal =>
  new StripeRefusal(400, { type: 'invalid_request_error', code, message });

/** A list as Stripe shows it. */
export const listOf = (world: World, url: string, objects: readonly object[], form: Form) => {
  const limit = numberAt(form, 10, 'limit');
  return {
    object: 'list',
    url,
    has_more: objects.length > limit,
    data: objects.slice(0, limit).map((object) => world.shown(object)),
  };
};
