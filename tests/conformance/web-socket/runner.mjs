// One class against the cases, in Chromium; each case is a test.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchBrowser, stopWatchingNetwork } from '../../e2e/support/browser.mjs';

/** With more, Chromium begins to delay handshakes that wait at the same time. */
const LANES = 8;

const only = process.env.CASE;

async function runInBrowser(startServer, page, lanes, order) {
  const server = await startServer({ lanes });
  const browser = await launchBrowser();
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${server.port}${page}`);
    await tab.waitForFunction(() => globalThis.runCases);
    await stopWatchingNetwork(tab);
    const devtools = await tab.context().newCDPSession(tab);
    await tab.exposeFunction('collectGarbage', () => devtools.send('HeapProfiler.collectGarbage'));
    return await tab.evaluate((given) => globalThis.runCases(given), { ...order, lanes: server.lanes });
  } finally {
    await browser.close();
    await server.close();
  }
}

/**
 * @param {object} of
 * @param {string} of.name what is tested
 * @param {{ name: string, module?: string, options?: object }} of.target the class; without a module it is the page's own
 * @param {string} of.list the module of the cases, for the page
 * @param {{ id: string, title: string, isSlow?: boolean }[]} of.cases CASE=text runs only those with this text in their ids
 * @param {Record<string, string>} of.differences by case: why the class does not do as the standard says. Such a case must fail
 * @param {number} [of.lanes] how many cases at a time
 */
export function conform({ name, target, list, cases, differences = {}, page, startServer, lanes = LANES }) {
  const chosen = cases.filter(({ id }) => !only || id.includes(only));
  describe(name, () => {
    let report;
    before(async () => {
      report = await runInBrowser(startServer, page, lanes, { list, ids: chosen.map(({ id }) => id), target });
    });

    for (const { id, title } of chosen) {
      const reason = differences[id];
      test(`${id}: ${title}${reason ? ` [differs: ${reason}]` : ''}`, () => {
        const result = report.results.find((each) => each.id === id);
        assert.ok(result, 'was not run');
        if (reason) assert.notEqual(result.error, null, `passes, so take it off the list of differences: ${reason}`);
        else assert.equal(result.error, null, result.error ?? '');
      });
    }

    test('nothing is thrown that no case had asked for', () => {
      assert.deepEqual(report.uncaught, []);
    });

    test('every difference is one of a case', () => {
      assert.deepEqual(Object.keys(differences).filter((id) => !cases.some((each) => each.id === id)), []);
    });
  });
}
