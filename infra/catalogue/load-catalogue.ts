import { readFileSync } from 'node:fs';
import { catalogueFaults } from '../../src/kernel/catalogue-check.ts';
import type { Catalogue, Model, Price, Rates } from '../../src/kernel/catalogue.ts';
import { priceVersionOf } from '../../src/kernel/price-text.ts';
import { catalogueFile, type CatalogueFile } from './catalogue-file.ts';

type FileModel = CatalogueFile['models'][number];
type FileRates = Omit<FileModel['price'], 'longContext'>;

/** The same without what is not given, so that a price always has the same text. */
const given = (rates: FileRates): Rates =>
  Object.fromEntries(Object.entries(rates).filter(([, rate]) => rate !== undefined)) as Rates;

/**
 * A price of the file. In the long tier every rate but those of input and output is that of the normal tier when it is
 * not given.
 */
export const priceOf = ({ longContext, ...base }: FileModel['price']): Price => {
  const normal = given(base);
  if (longContext === undefined) return normal;
  const { above, ...long } = longContext;
  return { ...normal, longContextAbove: above, longContext: { ...normal, ...given(long) } };
};

const modelOf = (book: string, { price: fileRates, estimation, ...rest }: FileModel): Model => {
  const price = priceOf(fileRates);
  return { ...rest, price, priceVersion: priceVersionOf(book, price), estimation };
};

/**
 * Reads a catalogue. `embedded` offers the sandbox too. Throws one error that lists everything that is wrong with the
 * file, so that a server with a broken catalogue does not start.
 */
export const parseCatalogue = (json: unknown, options: Readonly<{ embedded: boolean }>): Catalogue => {
  const parsed = catalogueFile.safeParse(json);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`the catalogue cannot be read:\n${lines.join('\n')}`);
  }
  const { version, providers, models, tasks, maxConcurrentJobs, codexCli, embedded } = parsed.data;
  const offered = options.embedded ? embedded : { providers: [], models: [] };
  const catalogue: Catalogue = {
    version,
    providers: [...providers, ...offered.providers],
    models: [...models, ...offered.models].map((model) => modelOf(version, model)),
    tasks: Object.fromEntries(
      Object.entries(tasks).map(([name, task]) => [name, { ...task, copyButtons: task.copyButtons ?? null }]),
    ),
    maxConcurrentJobs,
    codexCli,
  };
  const faults = catalogueFaults(catalogue);
  if (faults.length > 0) throw new Error(`the catalogue is inconsistent:\n${faults.join('\n')}`);
  return catalogue;
};

/** The catalogue of this build. */
export const loadCatalogue = (options: Readonly<{ embedded: boolean }>): Catalogue =>
  parseCatalogue(JSON.parse(readFileSync(new URL('catalogue.json', import.meta.url), 'utf8')), options);
