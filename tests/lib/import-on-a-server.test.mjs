import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

test('importing and making a client touch nothing; the first use instantiates once, synchronously', async () => {
  const { Module } = WebAssembly;
  const compiled = mock.method(WebAssembly, 'Module', function compile(bytes) { return new Module(bytes); });
  const instance = WebAssembly.Instance;
  const instantiated = mock.method(WebAssembly, 'Instance', function instantiate(...args) { return Reflect.construct(instance, args); });
  const timers = mock.method(globalThis, 'setTimeout');
  const fetched = mock.method(globalThis, 'fetch');

  const { RunClient, createRunCore, preload } = await import('../../pkg/index.js');
  const client = new RunClient({ baseUrl: 'https://a.example/bi-chat' });
  assert.equal(client.connection.getSnapshot(), client.connection.getServerSnapshot());
  client.connection.subscribe(() => {})();
  client.close();
  for (const spy of [compiled, instantiated, timers, fetched]) assert.equal(spy.mock.callCount(), 0);

  createRunCore().free();
  createRunCore().free();
  await preload();
  // The engine, and what unpacks it.
  assert.equal(instantiated.mock.callCount(), 2);
  mock.restoreAll();
});

test('the package exports what its types declare, and nothing else', async () => {
  const { readFileSync } = await import('node:fs');
  const declared = (file) => {
    const text = readFileSync(new URL(`../../pkg/${file}`, import.meta.url), 'utf8');
    return [...text.matchAll(/^export declare (?:abstract )?(?:class|function|const) (\w+)/gm)].map(([, name]) => name).sort();
  };
  const names = declared('index.d.ts');
  assert.deepEqual(Object.keys(await import('../../pkg/index.js')).sort(), names);
  assert.deepEqual(Object.keys(await import('../../pkg/url.js')).sort(), [...names, 'init'].sort());
  for (const name of ['ai-sdk', 'react', 'svelte', 'vue', 'solid']) {
    assert.deepEqual(Object.keys(await import(`../../pkg/${name}.js`)).sort(), [...new Set(declared(`${name}.d.ts`))], name);
  }
});
