// The server's half of the page that is hydrated.
import { createSSRApp, h } from 'vue';
import { renderToString } from 'vue/server-renderer';
import { RunClient } from 'steadystream';
import { Chat } from './vue-chat.js';
import { makeActiveRuns } from './stream.js';

export const render = async () => {
  const activeRuns = makeActiveRuns();
  const client = Object.assign(new RunClient({ baseUrl: 'http://127.0.0.1:9/' }), { activeRuns: () => activeRuns });
  return { body: await renderToString(createSSRApp({ render: () => h(Chat, { client }) })) };
};
