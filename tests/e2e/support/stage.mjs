// Everything a test file needs: a server, a browser, and pages that tests borrow and give back clean.

import { launchBrowser } from './browser.mjs';
import { Lab } from './lab.mjs';
import { startServer } from './server.mjs';
import { until } from './until.mjs';

export class Stage {
  #servers = [];
  #idle = [];
  #alone = { true: [], false: [] };

  /** `flags`: of the browser's command line. */
  static async open({ flags } = {}) {
    const stage = new Stage();
    stage.server = await stage.addServer();
    stage.control = stage.server.control;
    stage.browser = await launchBrowser(flags);
    stage.context = await stage.browser.newContext();
    return stage;
  }

  /** One more server, for faults that hit everybody on it. */
  async addServer() {
    const server = await startServer();
    this.#servers.push(server);
    return server;
  }

  /**
   * A page of the caller's own, closed by the caller. `isAlone`: in a context of its own, for what the browser does to all
   * pages of a context.
   */
  async openLab({ server = this.server, isAlone = false, clock = false, ...rest } = {}) {
    const context = isAlone || clock ? await this.browser.newContext() : this.context;
    return Lab.open(context, server, { isAlone, clock, ...rest });
  }

  /** Lends a page to `use`. Afterwards it must be clean; one that a failed test has left is not lent again. */
  async withLab(use) {
    const lab = this.#idle.pop() ?? await this.openLab();
    try {
      await use(lab);
      await lab.clear();
    } catch (error) {
      await lab.close();
      throw error;
    }
    this.#idle.push(lab);
  }

  /**
   * Lends a page that has a server to itself (`lab.server`): sockets, proxies and weather belong to no session. `isProxied`: all
   * of the page's connections go through the server's proxy.
   */
  async withServer(use, { isProxied = false } = {}) {
    const idle = this.#alone[isProxied];
    const lab = idle.pop() ?? await this.#openAlone(isProxied);
    const { control } = lab.server;
    try {
      await use(lab);
      await lab.clear();
      await until(async () => (await control.counters()).openSockets.now === 0, 'the sockets to be closed');
      await control.reset();
    } catch (error) {
      await lab.close();
      throw error;
    }
    idle.push(lab);
  }

  async #openAlone(isProxied) {
    const server = await this.addServer();
    return this.openLab({ server: isProxied ? { ...server, app: server.proxy } : server });
  }

  async close() {
    await this.browser?.close();
    await Promise.all(this.#servers.map((server) => server.stop()));
  }
}
