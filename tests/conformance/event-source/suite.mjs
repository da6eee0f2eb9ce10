// Runs the cases for one class in a few pages at once, each under a host of its own and so with connections of its own.

import { launchBrowser, stopWatchingNetwork } from '../../e2e/support/browser.mjs';
import { startFixture } from './server.mjs';

const LANES = 3;
const LIMIT_MS = 6_000;

let lanes = 0;

export class Suite {
  #runs = 0;

  static async open() {
    const suite = new Suite();
    [suite.fixture, suite.browser] = await Promise.all([startFixture(), launchBrowser()]);
    suite.context = await suite.browser.newContext();
    // Over the browser's own channel: a request of the page would take one of the connections that the cases count on.
    await suite.context.exposeFunction('fixture', (verb, ...rest) => suite.fixture.journal[verb](...rest));
    return suite;
  }

  /**
   * `subject`: `{ name, module }`, a class of the module with this URL, or a global one. `list`: the module of the cases, for the
   * page. Gives what each case said by its id, null for those that passed, and the errors that reached a window from nowhere.
   */
  async run(subject, { list = '/suite/cases/index.js', ids, limitMs = LIMIT_MS }) {
    this.#runs += 1;
    const shares = Array.from({ length: Math.min(LANES, ids.length) }, (_, lane) => ids.filter((_id, i) => i % LANES === lane));
    const settings = { list, subject, limitMs, run: this.#runs, otherPort: this.fixture.ports[1] };
    const results = await Promise.all(shares.map((share) => this.#lane({ ids: share, ...settings })));
    return {
      failures: new Map(results.flatMap(({ failures }) => failures)),
      strays: results.flatMap(({ strays }) => strays),
    };
  }

  async #lane(args) {
    lanes += 1;
    const page = await this.context.newPage();
    try {
      await page.goto(`http://lane${lanes}.localhost:${this.fixture.ports[0]}/`);
      await stopWatchingNetwork(page);
      await page.waitForFunction(() => window.lane, undefined, { timeout: 10_000 });
      return await page.evaluate((given) => lane.run(given), args);
    } finally {
      await page.close();
    }
  }

  async close() {
    await this.browser?.close();
    this.fixture?.close();
  }
}
