import { z } from 'zod';
import { modelShape, priceShape, providerShape, settingsShape, taskShape } from './catalogue-file.ts';
import { priceOf } from './load-catalogue.ts';

type Shape = Readonly<Record<string, z.ZodType>>;

type Patch<S extends Shape> = { [K in keyof S]: z.ZodExactOptional<S[K] extends z.ZodDefault<infer I> ? I : S[K]> };

/** Every member may be left out; what stands for a member that is left out in the file has no place here. */
const patchOf = <S extends Shape>(shape: S): Patch<S> =>
  Object.fromEntries(
    Object.entries(shape).map(([name, member]) => {
      const plain = member instanceof z.ZodDefault ? (member.unwrap() as z.ZodType) : member;
      return [name, z.exactOptional(plain)];
    }),
  ) as Patch<S>;

const { id: _id, code: _code, ...providerMembers } = providerShape.shape;
const { id: _modelId, price: _price, estimation, ...modelMembers } = modelShape.shape;

const price = priceShape.transform(priceOf);

/**
 * How operators write what they change: in the shapes of catalogue.json, so that whatever is added there can be changed
 * too. In changes every member may be left out.
 */
export const catalogueInput = {
  /** USD per million tokens as decimal text, read as pico-USD. */
  price,
  newModel: z.strictObject({ ...modelShape.shape, price }).transform(({ id, price: own, ...facts }) => ({
    id,
    price: own,
    facts: { ...facts, estimation: facts.estimation ?? null },
  })),
  modelChanges: z
    .strictObject({
      ...patchOf(modelMembers),
      estimation: z.exactOptional(estimation.unwrap().nullable()),
      price: price.optional(),
    })
    .transform(({ price: own, ...changes }) => ({ price: own, changes })),
  providerChanges: z.strictObject(patchOf(providerMembers)),
  task: taskShape.transform((task) => ({ ...task, copyButtons: task.copyButtons ?? null })),
  settings: z.strictObject(patchOf(settingsShape.shape)),
};
