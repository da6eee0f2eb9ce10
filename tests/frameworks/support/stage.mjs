// One browser, one site and one run-server for a file of tests; a fresh page for each test, which must be without errors at its end.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { launchBrowser } from '../../e2e/support/browser.mjs';
import { BROWSER_NOISE } from '../../e2e/support/lab.mjs';
import { startServer } from '../../e2e/support/server.mjs';
import { serve } from './site.mjs';

const IS_ADVICE = /Download the React DevTools/;

/** `pages`: name -> file in ../pages. */
export async function openStage(pages) {
  const entries = Object.fromEntries(Object.entries(pages).map(([name, file]) => [name, fileURLToPath(new URL(`../pages/${file}`, import.meta.url))]));
  // What does not compile leaves nothing behind that runs.
  const site = await serve(entries);
  const [server, browser] = await Promise.all([startServer(), launchBrowser()]);
  return {
    server,
    control: server.control,
    /** `use(page)`; `rendered`: what a server has made of the page. */
    async withPage(name, use, rendered) {
      const page = await browser.newPage();
      const errors = [];
      page.on('pageerror', (error) => errors.push(String(error)));
      page.on('console', (message) => {
        const text = message.text();
        if (['error', 'warning'].includes(message.type()) && !BROWSER_NOISE.test(text) && !IS_ADVICE.test(text)) errors.push(text);
      });
      await page.goto(site.page(name, rendered));
      await page.waitForFunction(() => globalThis.app);
      await use(page);
      assert.deepEqual(errors, [], 'errors in the page');
      await page.close();
    },
    async close() {
      await browser.close();
      site.stop();
      await server.stop();
    },
  };
}
