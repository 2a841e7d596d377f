/** What a form may hold. Other fields are skipped. */
export type FormSpec = Readonly<{
  /** The field of the one file. */
  file: Readonly<{ field: string; mostBytes: number }>;
  /** Each other field with the most bytes that it may have. */
  texts: Readonly<Record<string, number>>;
}>;
