// One Chromium, and pages in it that know all contestants and workloads.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { bundle, bundleAlone } from './bundle.mjs';
import { serve } from './serve.mjs';

const ARGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--js-flags=--expose-gc',
];

/** CHROME decides; otherwise what scripts/setup-browser found. */
const findChrome = () => {
  if (process.env.CHROME) return process.env.CHROME;
  const recall = '. "$(dirname "$0")/common.sh"; recall browser; printf %s "${CHROME-}"';
  const script = fileURLToPath(new URL('../../scripts/step', import.meta.url));
  const found = execFileSync('bash', ['-c', recall, script], { encoding: 'utf8' });
  if (!found) throw new Error('no browser: make setup, or set CHROME');
  return found;
};

/** Runs in the page. */
const describe = async (script) => {
  const { contestant: { name, title = name, role, protocols = ['bichat'], ...can } } = await import(script);
  return { script, name, title, role, protocols, can: Object.keys(can) };
};

/** `without`: contestants (file names, no extension) to leave out. */
export const launch = async ({ without = [] } = {}) => {
  const executablePath = findChrome();
  const alone = await bundleAlone(without);
  const server = await serve({ '/bench.js': await bundle(without), ...alone });
  const browser = await chromium.launch({ executablePath, args: ARGS });
  const visit = async (path, work) => {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      page.on('pageerror', (error) => console.error(`  in the page: ${error.message}`));
      await page.goto(new URL(path, server.url).href);
      return await work(page);
    } finally {
      await context.close();
    }
  };
  const withEmptyPage = (work) => visit('/empty', work);
  return {
    version: browser.version(),
    /** What there is of each contestant, and the path of the script that holds it alone. */
    contestants: () => Promise.all(Object.keys(alone).map((script) => withEmptyPage((page) => page.evaluate(describe, script)))),
    /** A page with nothing in it. */
    withEmptyPage,
    // Every case in a page of its own: what one leaves behind in memory or in the JIT's knowledge is not the next one's luck.
    withPage: (work) => visit('/', async (page) => {
      await page.waitForFunction('globalThis.bench');
      return work(page);
    }),
    async close() {
      await browser.close();
      server.close();
    },
  };
};
