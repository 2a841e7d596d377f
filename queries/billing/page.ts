/** Which rows of a long list are wanted. */
export type Paging = Readonly<{ limit: number; offset: number }>;

/** Some rows of a list, and how many it has. */
export type Page<T> = Readonly<{ entries: readonly T[]; total: number; hasMore: boolean }>;

/** What a paged statement gives: `total` on every row, and one row of nulls when the page is empty. */
export type PageRow<Row> = Readonly<{ total: bigint }> & (Row | { readonly [K in keyof Row]: null });

/** The page that a paged statement's rows make; `key` is a column that is null on the row that stands for "none". */
export const pageOf = <Row, T>(
  rows: readonly PageRow<Row>[],
  { limit, offset }: Paging,
  key: keyof Row,
  view: (row: Row) => T,
): Page<T> => {
  const total = Number(rows[0]?.total ?? 0);
  const entries = rows.filter((row) => (row as Row)[key] !== null).map((row) => view(row as Row));
  return { entries, total, hasMore: total > limit + offset };
};
