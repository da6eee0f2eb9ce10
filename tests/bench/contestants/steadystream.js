import { RunClient, createRunCore } from '../../../pkg/index.js';
import { answerWith } from '../lib/body.js';

const client = new RunClient({ baseUrl: '/shared', protocol: 'bichat' });

export default {
  name: 'steadystream',
  role: 'ours',
  protocols: ['bichat', 'ui-message'],

  open(protocol) {
    const core = createRunCore({ protocol });
    return {
      push: (bytes) => core.push(bytes),
      snapshot: () => core.snapshot(),
      close: () => core.free(),
    };
  },

  /** The whole client, with somebody who looks once a frame. */
  async fetchRun(url) {
    const own = new RunClient({ baseUrl: url, protocol: 'bichat' });
    const run = own.open({ sessionId: 's-1', runId: 'r-1' });
    run.subscribe(() => {});
    await run.finished;
    const state = run.getSnapshot();
    own.close();
    return state;
  },

  /** A run of the client that nobody watches. */
  async hold(next) {
    globalThis.fetch = answerWith(next);
    const run = client.open({ sessionId: crypto.randomUUID(), runId: 'r-1' });
    await run.finished;
    return run.getSnapshot();
  },

  live: (url, notify) => client.open({ sessionId: url, runId: 'r-1' }).subscribe(notify),
};
