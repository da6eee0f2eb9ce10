// One Chromium for a test file, with a fresh profile; each context in it has a socket pool of its own.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** CHROME in the environment decides; otherwise what the set-up found and remembered. */
export function findChrome() {
  if (process.env.CHROME) return process.env.CHROME;
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const script = '. scripts/common.sh; recall browser; printf %s "${CHROME-}"';
  const found = execFileSync('bash', ['-c', script], { cwd: root, encoding: 'utf8' });
  if (!found) throw new Error('no browser: run `make setup`, or name one in CHROME');
  return found;
}

export function launchBrowser(flags = []) {
  return chromium.launch({ executablePath: findChrome(), args: [...FLAGS, ...flags] });
}

/**
 * Playwright follows every chunk of every response, whether or not anybody asks, and that is more work than all that a page of
 * ours does. It has no switch for it, so this one is thrown from inside; a Playwright that is built otherwise is only slower.
 */
export async function stopWatchingNetwork(page) {
  const session = page._connection?.toImpl?.(page)?.delegate?._mainFrameSession?._client;
  await session?.send('Network.disable');
}
