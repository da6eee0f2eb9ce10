// The example apps, as their users build them, against run-server: what they are a model of has to hold.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { launchBrowser } from '../e2e/support/browser.mjs';
import { BROWSER_NOISE } from '../e2e/support/lab.mjs';
import { startServer } from '../e2e/support/server.mjs';
import { until } from '../e2e/support/until.mjs';
import { buildApps } from './support/apps.mjs';

const APPS = ['react', 'svelte'];

// Both at the same time, each with a server of its own: they wait more than they work.
let folder;
let browser;
const servers = {};
before(async () => {
  // What does not build leaves nothing behind that runs.
  folder = await buildApps(APPS);
  browser = await launchBrowser();
  await Promise.all(APPS.map(async (name) => { servers[name] = await startServer({ www: folder }); }));
});
after(async () => {
  await browser?.close();
  await Promise.all(Object.values(servers).map((server) => server.stop()));
  await rm(folder, { recursive: true, force: true });
});

/** An app in a browser of its own, which must be without errors at the end. */
async function withApp(name, use) {
  const { app: origin, control } = servers[name];
  const context = await browser.newContext();
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !BROWSER_NOISE.test(message.text())) errors.push(message.text());
  });
  await page.goto(`${origin}/${name}/index.html`);
  await page.getByRole('button', { name: 'New chat' }).first().waitFor();
  const app = {
    page,
    control,
    requests: async (sessionId) => (await control.counters(sessionId)).requests,
    button: (label) => page.getByRole('button', { name: label, exact: true }),
    row: (title) => page.getByRole('navigation').getByRole('button', { name: title }),
    field: page.getByLabel('Your message'),
    /** Begins a chat with a question; gives its session. */
    async ask(question) {
      await app.button('New chat').first().click();
      await app.field.fill(question);
      await app.field.press('Enter');
      return new URL(page.url()).hash.slice(1);
    },
    answer: async () => (await page.locator('.answer .block').allTextContents()).join('\n'),
    /** At least so many letters of the answer are there; gives it. */
    async shows(length) {
      await page.waitForFunction((least) => [...document.querySelectorAll('.answer .block')].map(({ textContent }) => textContent).join('').length >= least, length);
      return app.answer();
    },
    /** The answer is all that the session's newest run says, of which the server knows it has been asked so many times for one. */
    async isWhole(sessionId, asked = 1) {
      await until(async () => (await app.requests(sessionId)).stream === asked, `question ${asked}`);
      const { blocks } = await control.truth(undefined, sessionId);
      const whole = blocks.map(({ text }) => text.trim()).join('\n');
      await until(async () => (await app.answer()) === whole, 'the whole answer');
      await app.button('Send').waitFor();
      // Words that the app may say of an answer are none of it.
      assert.equal(await page.locator('.trouble').count(), 0);
      assert.equal((await app.requests(sessionId)).stream, asked);
    },
  };
  await use(app);
  assert.deepEqual(errors, []);
  await context.close();
}

describe('apps', { concurrency: true }, () => APPS.forEach((name) => {
  describe(name, { concurrency: false }, () => {
    test('cut in the middle, switched away and back, reloaded: the answer is whole, and was asked for once', () => withApp(name, async (app) => {
      await app.control.recipe({ events: 260, eventsPerSecond: 60, reasoning: false, holdAt: 200 });
      const sessionId = await app.ask('How do tides work?');
      await app.shows(60);
      await app.page.getByRole('img', { name: 'answering' }).waitFor();
      assert.equal(await app.page.getByRole('status').textContent(), 'Connected');

      await app.control.now('cut', { how: 'rst', sessionId });
      await until(async () => (await app.requests(sessionId)).events === 2, 'the log to be read on');
      const before = await app.shows(140);

      await app.button('New chat').first().click();
      await app.page.getByRole('heading', { name: 'New chat' }).waitFor();
      assert.equal(await app.answer(), '');
      await app.row('How do tides work?').click();
      await app.page.waitForFunction(() => document.querySelector('.answer .block'));
      assert.ok((await app.answer()).startsWith(before), 'what was there is there again');
      assert.equal((await app.requests(sessionId)).events, 2, 'and nothing was asked for');

      const last = await app.answer();
      await app.page.reload();
      await app.page.waitForFunction(() => document.querySelector('.answer .block'));
      assert.ok((await app.answer()).startsWith(last.slice(0, 100)));
      await app.control.now('goOn', { sessionId });
      await app.isWhole(sessionId);
      await app.page.getByRole('img', { name: 'answering' }).waitFor({ state: 'detached' });

      await app.page.reload();
      await app.isWhole(sessionId);
    }));

    test('stopped, the text stays; tried again, it is asked anew', () => withApp(name, async (app) => {
      await app.control.recipe({ events: 200, eventsPerSecond: 60, reasoning: false, toolCalls: 0, holdAt: 100 });
      const sessionId = await app.ask('Why stop?');
      const before = await app.shows(40);
      await app.button('Stop').click();
      await app.page.getByRole('alert').waitFor();
      assert.ok((await app.answer()).startsWith(before));
      await until(async () => (await app.control.counters(sessionId)).stops === 1, 'the server to hear of it');
      await app.control.recipe({ events: 60, eventsPerSecond: 0 });
      await app.button('Retry').click();
      await app.isWhole(sessionId, 2);
    }));

    test('given up, the text stays with a way on; tried again, it goes on after its cursor', () => withApp(name, async (app) => {
      await app.control.recipe({ events: 200, eventsPerSecond: 100, reasoning: false, toolCalls: 0, holdAt: 100 });
      await app.page.evaluate(() => sessionStorage.clear());
      const sessionId = await app.ask('And then?');
      await app.shows(40);
      await app.control.faults({ sessionId, path: ['events', 'status', 'resume'] }, [{ status: { code: 403 } }], { loop: true });
      await app.control.now('cut', { how: 'rst', sessionId });
      await app.button('Retry').waitFor();
      const before = await app.answer();
      await app.control.clearFaults();
      await app.button('Retry').click();
      await app.control.now('goOn', { sessionId });
      await app.shows(before.length + 1);
      await app.isWhole(sessionId);
    }));

    test('by keyboard alone', () => withApp(name, async (app) => {
      await app.control.recipe({ events: 200, eventsPerSecond: 60, reasoning: false, toolCalls: 0, holdAt: 100 });
      const { keyboard } = app.page;
      await keyboard.press('Tab');
      await keyboard.press('Enter');
      await app.field.waitFor();
      await keyboard.type('One line');
      await keyboard.press('Shift+Enter');
      await keyboard.type('and another');
      await keyboard.press('Enter');
      await app.shows(20);
      await keyboard.press('Tab');
      await keyboard.press('Enter');
      await app.page.getByRole('alert').waitFor();
      assert.equal(await app.page.locator('.question').textContent(), 'One line\nand another');
      const current = app.page.locator('nav [aria-current]');
      assert.equal(await current.count(), 1);
    }));
  });
}));
