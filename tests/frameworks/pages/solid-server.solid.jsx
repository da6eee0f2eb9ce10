// The server's half of the page that is hydrated.
import { generateHydrationScript, renderToString } from 'solid-js/web';
import { RunClient } from 'steadystream';
import { Chat } from './solid-chat.solid.jsx';
import { makeActiveRuns } from './stream.js';

export const render = () => {
  const activeRuns = makeActiveRuns();
  const client = Object.assign(new RunClient({ baseUrl: 'http://127.0.0.1:9/' }), { activeRuns: () => activeRuns });
  return { head: generateHydrationScript(), body: renderToString(() => <Chat client={client} />) };
};
