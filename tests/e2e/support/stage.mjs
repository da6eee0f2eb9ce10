// Everything a test file needs: a server, a browser, and pages that tests borrow and give back clean.

import { launchBrowser } from './browser.mjs';
import { Lab } from './lab.mjs';
import { startServer } from './server.mjs';

export class Stage {
  #servers = [];
  #idle = [];

  static async open() {
    const stage = new Stage();
    stage.server = await stage.addServer();
    stage.control = stage.server.control;
    stage.browser = await launchBrowser();
    return stage;
  }

  /** One more server, for faults that hit everybody on it. */
  async addServer() {
    const server = await startServer();
    this.#servers.push(server);
    return server;
  }

  /** A page of the caller's own, closed by the caller. */
  openLab(options) {
    return Lab.open(this.browser, options?.server ?? this.server, options);
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

  async close() {
    await this.browser?.close();
    await Promise.all(this.#servers.map((server) => server.stop()));
  }
}
