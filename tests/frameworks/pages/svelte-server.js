// The server's half of the page that is hydrated.
import { render as renderSvelte } from 'svelte/server';
import { RunClient } from 'steadystream';
import Chat from './svelte/Chat.svelte';
import { makeActiveRuns } from './stream.js';

export const render = () => {
  const activeRuns = makeActiveRuns();
  const client = Object.assign(new RunClient({ baseUrl: 'http://127.0.0.1:9/' }), { activeRuns: () => activeRuns });
  return renderSvelte(Chat, { props: { props: { client } } });
};
