/** A form as Stripe's clients write it: `a[b][0]=c`. A list is an object whose keys are numbers or empty. */
export type Form = { [name: string]: string | Form };

const RESERVED = ['__proto__', 'constructor', 'prototype'];

const put = (form: Form, path: readonly string[], value: string): void => {
  const [head = '', ...rest] = path;
  const name = head === '' ? String(Object.keys(form).length) : head;
  if (RESERVED.includes(name)) return;
  if (rest.length === 0) {
    form[name] = value;
    return;
  }
  const inner = form[name];
  const next = typeof inner === 'object' ? inner : {};
  form[name] = next;
  put(next, rest, value);
};

/** Reads a form or a query. */
export const readForm = (text: string): Form => {
  const form: Form = {};
  for (const [key, value] of new URLSearchParams(text)) put(form, key.replaceAll(']', '').split('['), value);
  return form;
};

/** The form inside a form; empty when there is none. */
export const formAt = (form: Form, ...path: readonly string[]): Form =>
  path.reduce<Form>((at, name) => {
    const inner = at[name];
    return typeof inner === 'object' ? inner : {};
  }, form);

/** The text at a place; undefined when there is none. */
export const textAt = (form: Form, ...path: readonly string[]): string | undefined => {
  const value = formAt(form, ...path.slice(0, -1))[path.at(-1) ?? ''];
  return typeof value === 'string' ? value : undefined;
};

/** The whole number at a place; `fallback` when there is none. */
export const numberAt = (form: Form, fallback: number, ...path: readonly string[]): number => {
  const text = textAt(form, ...path);
  return text === undefined || !/^-?\d{1,12}$/.test(text) ? fallback : Number(text);
};

/** The texts of a list or of metadata. */
export const textsAt = (form: Form, ...path: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(formAt(form, ...path)).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value]] : [],
    ),
  );
