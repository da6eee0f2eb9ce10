// What a server does that renders a page. Nothing of this may reach for what a server has no use for.
for (const name of ['WebAssembly', 'fetch', 'WebSocket', 'EventSource', 'navigator', 'document', 'setTimeout', 'setInterval']) {
  Object.defineProperty(globalThis, name, { get() { throw new Error(`it has touched ${name}`); } });
}

for (const entry of ['steadystream', 'steadystream/url']) {
  const { RunClient } = await import(entry);
  const { connection } = new RunClient({ baseUrl: '/bi-chat' });
  if (connection.getServerSnapshot() !== connection.getSnapshot()) throw new Error(`${entry}: a page would hydrate with something else`);
}
