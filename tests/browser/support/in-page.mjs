// Tests that run in the page: each gets the kit, in a page that the one before has left clean.

import { after, before, test } from 'node:test';
import { launchBrowser, stopWatchingNetwork } from '../../e2e/support/browser.mjs';
import { startServer } from './server.mjs';

// What hangs in the page must not hang the tests.
const LIMIT = { timeout: 20_000 };

let server;
let browser;
let shared;

before(async () => {
  [server, browser] = await Promise.all([startServer(), launchBrowser(['--js-flags=--expose-gc'])]);
  shared = await openPage();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function openPage() {
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(`${server.origin}/page/index.html`);
  await page.waitForFunction(() => globalThis.kit).catch((cause) => {
    throw new Error(`the page does not load: ${errors.join('; ') || 'is pkg/wasm built?'}`, { cause });
  });
  await stopWatchingNetwork(page);
  return page;
}

/** A test of the page. `play(kit)` sees nothing of the file it is written in. */
export const inPage = (name, play) => test(name, LIMIT, async () => {
  try {
    await shared.evaluate(`kit.play(${play})`);
  } catch (error) {
    // A page that a failed test has left is not lent again.
    await shared.close();
    shared = await openPage();
    throw error;
  }
});

/** The same in a page that no other test sees: for what cannot be taken back. */
export const inOwnPage = (name, play) => test(name, LIMIT, async () => {
  const page = await openPage();
  await page.evaluate(`kit.play(${play})`);
  await page.close();
});
