// A page that sends: a client for each protocol and each place to keep what is unsent, and a user who presses `retry` wherever a
// message says that it has failed. Nothing else sends anything twice.
import { RunClient } from '/pkg/index.js';

const PROTOCOLS = {
  bichat: { baseUrl: '/bi-chat' },
  'ws-chat': { baseUrl: '', protocol: 'ws-chat' },
  'ui-message': { baseUrl: '/api/chat', protocol: 'ui-message' },
  envelope: { baseUrl: '/api/v1', protocol: 'envelope' },
  chunks: { baseUrl: '/v1', protocol: 'chunks' },
};
const retry = { baseMs: 20, capMs: 200 };

const clients = {};
const errors = [];
let retried = 0;
addEventListener('error', ({ message }) => errors.push(message));
addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)));

/** Presses it once for each failure. */
const attend = (client) => {
  const pressed = new Set();
  client.outbox.subscribe(({ messages }) => {
    for (const message of messages) {
      if (message.status !== 'failed' || pressed.has(message)) continue;
      pressed.add(message);
      retried += 1;
      setTimeout(() => {
        if (client.outbox.getSnapshot().messages.includes(message)) message.retry();
      }, 20);
    }
  }, { notify: 'sync' });
};

for (const [name, options] of Object.entries(PROTOCOLS)) {
  for (const persist of ['session', 'indexeddb']) {
    const client = new RunClient({ ...options, persist, retry, connectTimeoutMs: 5000, statusTimeoutMs: 2000 });
    clients[`${name} ${persist}`] = client;
    attend(client);
  }
}

/** The records in the database, as they are when all that was written before this is there. */
const readKept = () => new Promise((resolve) => {
  const request = indexedDB.open('steadystream-sends', 1);
  request.onupgradeneeded = () => request.result.createObjectStore('runs');
  request.onerror = () => resolve([]);
  request.onsuccess = () => {
    const database = request.result;
    const transaction = database.transaction('runs', 'readwrite');
    const found = transaction.objectStore('runs').getAll();
    transaction.oncomplete = () => {
      database.close();
      resolve(found.result.map((record) => JSON.parse(record)));
    };
  };
});

const all = () => Object.values(clients).flatMap((client) => client.outbox.getSnapshot().messages);

/** A client where nobody presses `retry`; as it comes, with a place of its own where the others find nothing. */
const newClient = (options = { baseUrl: `${location.origin}/bi-chat`, persist: 'indexeddb' }) => new RunClient({ retry, ...options });

window.sends = {
  clients,
  newClient,

  /** Messages of such a client, which goes away without having sent them, or stays; gives their request ids. */
  async leave(sessionId, texts, isGone = true) {
    const client = newClient();
    const ids = texts.map((text) => client.send(sessionId, text).getSnapshot().requestId);
    await readKept();
    if (isGone) client.close();
    return ids;
  },

  /** Sends them at once; gives how many second clicks had a stream of their own. */
  async send(list) {
    let wrong = 0;
    for (const { client: name, sessionId, text, requestId, clicks } of list) {
      const click = () => clients[name].send(sessionId, text, requestId ? { requestId } : {});
      const stream = click();
      for (let i = 1; i < clicks; i++) wrong += click() !== stream;
    }
    await readKept();
    return wrong;
  },

  /** The sessions of messages that the server may not have; a page that has just begun may not have found those that are kept. */
  open: async () => [...all().filter(({ status }) => status === 'pending' || status === 'failed'), ...await readKept()].map(({ sessionId }) => sessionId),

  /** Whether every run that was begun here has ended. */
  isOver: () => Object.values(clients).every(({ connection }) => ['closed', 'failed'].includes(connection.getSnapshot().state)),

  report: () => ({
    errors, retried,
    statuses: all().map(({ status, error }) => [status, error?.code].filter(Boolean).join(' ')),
    connections: Object.fromEntries(Object.entries(clients).map(([name, { connection }]) => [name, connection.getSnapshot().state])),
  }),
};
