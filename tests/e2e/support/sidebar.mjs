// A sidebar in a page that has a server to itself: the index of active runs belongs to no session.

import assert from 'node:assert/strict';
import { QUICK } from './lab.mjs';

export class SidebarLab {
  constructor(lab, transport) {
    this.lab = lab;
    this.control = lab.server.control;
    this.options = { transports: [transport], ...QUICK };
  }

  /** Opens it. `options`: those of activeRuns(). */
  open(options = {}) {
    return this.lab.page.evaluate(async ({ client, wish }) => {
      const { Sidebar } = await import('/tests/sidebar.js');
      window.sidebar = new Sidebar(lab.client({ options: client }), wish);
    }, { client: this.options, wish: options });
  }

  report() {
    return this.lab.page.evaluate(() => window.sidebar.report());
  }

  /** Waits in the page until a report fulfils `predicate`, which sees nothing of this module but `given`. */
  async until(predicate, given = null, timeout = 60_000) {
    try {
      await this.lab.page.waitForFunction(
        ([source, value]) => (0, eval)(`(${source})`)(window.sidebar.report(), value), [String(predicate), given], { timeout }, // eslint-disable-line no-eval
      );
    } catch (cause) {
      throw new Error(`${predicate}: ${JSON.stringify(await this.report()).slice(0, 2000)}`, { cause });
    }
    return this.report();
  }

  /** Waits until it shows the server's truth, and nothing was wrong on the way. */
  async untilTrue() {
    const { rows } = await this.control.activeRuns();
    const truth = rows.map(({ sessionId, runId, status }) => [sessionId, runId, status].join()).sort();
    const report = await this.until(({ runs, ready }, expected) =>
      ready && runs.map(({ sessionId, runId, status }) => [sessionId, runId, status].join()).sort().join('|') === expected, truth.join('|'));
    assert.deepEqual(report.violations, []);
    return report;
  }

  leave() {
    return this.lab.page.evaluate(() => window.sidebar.close());
  }

  counters() {
    return this.control.counters();
  }
}
