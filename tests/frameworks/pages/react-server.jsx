// The server's half of the page that is hydrated.
import { renderToString } from 'react-dom/server';
import { RunClient } from 'steadystream';
import { Chat } from './react-chat.jsx';
import { makeActiveRuns } from './stream.js';

export const render = () => {
  const activeRuns = makeActiveRuns();
  const client = Object.assign(new RunClient({ baseUrl: 'http://127.0.0.1:9/' }), { activeRuns: () => activeRuns });
  return { body: renderToString(<Chat client={client} run={{ sessionId: 's' }} />) };
};
