/** Ends every switch over a union: dropping a case no longer compiles; a value from outside the types is a fault. */
export const never = (value: never): never => {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
};
