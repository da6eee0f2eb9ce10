// Why steadystream/react is state and an effect: what the other ways do to a page that navigates while an answer streams. A React in
// which this fails has changed, and the choice is to be made again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchBrowser } from '../e2e/support/browser.mjs';
import { serve } from './support/site.mjs';

let browser;
let site;
let page;
before(async () => {
  site = await serve({ choice: fileURLToPath(new URL('pages/react-choice.js', import.meta.url)) });
  browser = await launchBrowser();
  page = await browser.newPage();
  await page.goto(site.page('choice'));
  await page.waitForFunction(() => globalThis.app);
});
after(async () => {
  await browser?.close();
  site?.stop();
});

const navigate = async (t, way, to) => {
  const seen = await page.evaluate((args) => app.navigate(...args), [way, to, 10]);
  t.diagnostic(`${way}: ${JSON.stringify(seen)}`);
  return seen;
};

test('a navigation that takes 180 ms to render arrives, and was rendered once', async (t) => {
  const { starts, arrivedMs, torn, behind } = await navigate(t, 'ours', 'slow');
  assert.deepEqual([starts, arrivedMs !== null], [1, true]);
  assert.deepEqual([torn, behind], [0, 0], 'components that agree, and a first paint that is up to date');
});

test('with useSyncExternalStore it begins anew with every frame, and has not arrived after ten of them', async (t) => {
  const { starts, arrivedMs } = await navigate(t, 'external', 'slow');
  assert.equal(arrivedMs, null, `${starts} starts`);
});

test('while a navigation waits for data the text goes on', async (t) => {
  const { changes, arrivedMs } = await navigate(t, 'ours', 'waiting');
  assert.ok(changes >= 25, `${changes} changes in 30 frames`);
  assert.notEqual(arrivedMs, null);
});

test('with updates that are transitions it loses many of its frames', async (t) => {
  const [ours, transition] = [await navigate(t, 'ours', 'waiting'), await navigate(t, 'transition', 'waiting')];
  assert.ok(transition.changes < 0.8 * ours.changes, `${transition.changes} of ${ours.changes}`);
});

test('no component says completed beside text that is not', async (t) => {
  const { end } = await navigate(t, 'ours', 'slow');
  assert.ok(end.length > 0);
  for (const [, text] of end) assert.equal(text, 'all');
});
