// What every test of `ws-chat` needs: a client of it, and the proof that a message went out once.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

/** Options of a client that speaks it; QUICK comes from the lab. */
export const chatOptions = (transports, options = {}) => ({ baseUrl: '', protocol: 'ws-chat', transports, ...options });

/** Sends a message in a session of its own. `name`: messages of one name share a client, and with it the socket. */
export async function sendChat(lab, { transports = ['websocket'], recipe = {}, options, name, ...rest } = {}) {
  const sessionId = randomUUID();
  const requestId = randomUUID();
  await lab.server.control.recipe({ sessionId, events: 60, eventsPerSecond: 200, ...recipe });
  const client = { name, options: chatOptions(transports, options) };
  const key = await lab.start({ sessionId, requestId, client, ...rest });
  return { key, sessionId, requestId };
}

/** What run-server tells of the sockets it has seen, oldest first. */
export const socketsOf = async (control) => (await control.requests()).filter(({ path }) => path === 'ws');

/** One message, one run, one transport. */
export async function assertSentOnce(control, { sessionId, requestId }) {
  const { sends, runsStarted } = await control.counters(sessionId);
  const { websocket, post } = sends[requestId];
  assert.equal(runsStarted, 1, 'one send, one run');
  // A POST on a connection that had been idle is repeated by the browser itself, where that ends without a word.
  assert.deepEqual([websocket, Math.min(post, 1)], websocket > 0 ? [1, 0] : [0, 1], `sent more than once: ${websocket}, ${post}`);
}
