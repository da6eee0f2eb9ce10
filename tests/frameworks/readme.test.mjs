// The examples of README, compiled and run as they are printed.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchBrowser } from '../e2e/support/browser.mjs';
import { startServer } from '../e2e/support/server.mjs';
import { until } from '../e2e/support/until.mjs';
import { bundle } from './support/site.mjs';

const MOUNTS = {
  'react.jsx': `
    import { createRoot } from 'react-dom/client';
    import { Chat } from 'given:react.jsx';
    createRoot(root).render(<Chat sessionId={sessionId} />);`,
  'svelte.svelte': `
    import { mount } from 'svelte';
    import Chat from 'given:svelte.svelte';
    mount(Chat, { target: root, props: { sessionId } });`,
  'vue.vue': `
    import { createApp } from 'vue';
    import Chat from 'given:vue.vue';
    createApp(Chat, { sessionId }).mount(root);`,
  'solid.solid.jsx': `
    import { createComponent, render } from 'solid-js/web';
    import { Chat } from 'given:solid.solid.jsx';
    render(() => createComponent(Chat, { sessionId }), root);`,
};
const PLACE = "\nconst root = document.getElementById('root');\nconst sessionId = location.hash.slice(1);";

let folder;
let server;
let browser;
before(async () => {
  [folder, browser] = await Promise.all([mkdtemp(join(tmpdir(), 'steadystream-readme-')), launchBrowser()]);
  server = await startServer({ www: folder });
  await server.control.recipe({ events: 80, eventsPerSecond: 60, reasoning: false, holdAt: 40 });
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
const given = Object.fromEntries([...readme.matchAll(/<!-- example: (\S+) -->\n```\w+\n(.*?)```/gs)].map(([, name, source]) => [name, source]));

test('there is one for each framework', () => assert.deepEqual(Object.keys(given), Object.keys(MOUNTS)));

// At the same time: they wait more than they work.
describe('examples', { concurrency: true }, () => Object.entries(MOUNTS).forEach(([name, mount]) => {
  test(`${name}: asks, shows the answer as it comes, and all of it`, async () => {
    const end = mount.lastIndexOf('\n');
    await writeFile(join(folder, `${name}.js`), await bundle({ contents: mount.slice(0, end) + PLACE + mount.slice(end) }, { given }));
    await writeFile(join(folder, `${name}.html`), `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="${name}.js"></script>`);
    const page = await browser.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    const sessionId = randomUUID();
    await page.goto(`${server.app}/${name}.html#${sessionId}`);
    await page.getByText('none, closed').waitFor();
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    await until(async () => (await server.control.runs(sessionId)).length === 1, 'the run');
    await server.control.now('goOn', { sessionId });
    await page.getByText('completed, closed').waitFor();
    const { text } = await server.control.truth(undefined, sessionId);
    const shown = await page.locator('p').allTextContents();
    assert.deepEqual([shown.slice(1).join(''), errors], [text, []]);
    await page.close();
  });
}));
