import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Browser } from 'puppeteer-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The browser of this machine; undefined when it has none. */
export const chromiumPath = (): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find(isProgram);

/** Starts it without a window and with a profile of its own. */
export const startChromium = async (executablePath: string): Promise<Browser> => {
  const { launch } = await import('puppeteer-core');
  // As root in a container its own sandbox cannot be made; nothing but this server's pages is opened.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'];
  return launch({ executablePath, args, timeout: 60_000 });
};
