// What is left when it is over: no timer, no frame, no listener, no transport, no memory. And a trap, which ends everything.

import { inOwnPage, inPage } from './support/in-page.mjs';

inPage('a client that was made and never used touches nothing', ({ RunClient, left, same }) => {
  const before = left();
  new RunClient({ baseUrl: '/' }).close();
  new RunClient({ baseUrl: '/' }).connection.getSnapshot();
  same(left(), before);
});

inPage('after the close no timer, listener, frame or transport is left', async ({ Client, Network, content, tellWindow, left, until, timer, same, ok }) => {
  const before = left();
  const network = new Network();
  const client = new Client('/');
  const [connecting, streaming, waiting] = [client.open(0), client.open(0), client.open(0)];
  const doubting = client.call((raw, now) => raw.open('s', undefined, undefined, undefined, now), 'begin');
  network.head(1);
  network.send(1, content(1, 'x'));
  network.head(2, 503, 'text/plain');
  const asked = client.call((raw, now) => raw.status('s', now));
  await until(() => client.text === 'x');
  network.send(1, content(2, 'y'));
  ok(left().requests >= 4 && left().timers > before.timers && left().listeners > before.listeners);
  client.over();
  same(left(), before);
  for (const slot of [connecting, streaming, waiting, doubting]) {
    same([client.ends(slot), client.state(slot, 'error').code], [1, 'aborted']);
  }
  same(client.answer(asked).error.code, 'aborted');
  const [requests, deltas, { wakes }] = [network.count, client.deltas.length, client];
  await timer(130);
  tellWindow('offline');
  tellWindow('online');
  same([network.count, client.deltas.length, client.wakes], [requests, deltas, wakes]);
});

inPage('a driver that is closed without asking the engine leaves nothing either', async ({ Client, Network, blobUrl, content, left, until, same }) => {
  const before = left();
  for (const transport of ['fetch', 'eventsource']) {
    const network = new Network();
    const client = new Client(blobUrl(content(1, 'x')), { transports: [transport] });
    client.open(0);
    client.open(1);
    if (transport === 'fetch') {
      network.head(0);
      network.send(0, content(1, 'x'));
    }
    await until(() => client.text !== '');
    client.driver.close();
    same(left(), before, transport);
    client.raw.free();
  }
});

inPage('the last run of a client leaves its page watched, and nothing else', async ({ RunClient, Network, content, done, left, settle, same }) => {
  const before = left();
  const network = new Network();
  const client = new RunClient({ baseUrl: '/', replay: { ttlMs: 0 } });
  const run = client.open({ sessionId: 's', runId: 'r' });
  run.subscribe(() => {});
  network.head(0);
  network.send(0, content(1, 'x'), done(2));
  await run.finished;
  await settle();
  const { listeners, timers, ...rest } = left();
  const { listeners: listened, timers: armed, ...none } = before;
  // One timer may still be armed for a deadline that nobody waits for: it fires once, and finds nothing.
  same([rest, listeners > listened, timers <= armed + 1], [none, true, true]);
  client.close();
  same(left(), before);
});

inPage('each of several clients has its own runs, and its own end', async ({ RunClient, Network, content, done, tellWindow, left, until, same }) => {
  const before = left();
  const network = new Network();
  const clients = Array.from({ length: 4 }, (_, at) => new RunClient({ baseUrl: `/${at}` }));
  const runs = clients.map((client) => client.open({ sessionId: 's', runId: 'r' }, { notify: 'sync' }));
  const texts = runs.map(() => '');
  runs.forEach((run, at) => run.subscribe(({ text }) => {
    texts[at] = text;
    // Another client's calls from inside this one's listener.
    if (text === 'close the next') clients[at + 1].close();
  }));
  same(network.calls.map(({ url }) => url.slice(0, 3)), ['/0/', '/1/', '/2/', '/3/']);
  for (let at = 0; at < 4; at += 1) {
    network.head(at);
    network.send(at, content(1, `${at}`));
  }
  await until(() => texts.join('') === '0123');
  clients[3].close();
  same([runs[3].getSnapshot().status, network.isAborted(3), network.isAborted(2)], ['interrupted', true, false]);
  tellWindow('pagehide');
  tellWindow('pageshow');
  same(network.count, 4 + 3);
  for (let at = 4; at < 7; at += 1) network.head(at);
  network.send(4, content(2, ' a'), done(3));
  network.send(5, content(2, ' b'), done(3));
  same([(await runs[0].finished).text, (await runs[1].finished).text], ['0 a', '1 b']);
  same(runs[2].getSnapshot().status, 'streaming');
  for (const client of clients) client.close();
  same(left(), before);
});

inPage('a listener of one client may close another', async ({ RunClient, Network, content, left, same }) => {
  const before = left();
  const network = new Network();
  const [one, other] = [new RunClient({ baseUrl: '/1' }), new RunClient({ baseUrl: '/2' })];
  const mine = one.open({ sessionId: 's', runId: 'r' }, { notify: 'sync' });
  const theirs = other.open({ sessionId: 's', runId: 'r' });
  mine.subscribe(({ text }) => { if (text !== '') other.close(); });
  network.head(0);
  network.send(0, content(1, 'x'));
  same((await theirs.finished).error.code, 'aborted');
  same([mine.getSnapshot().status, network.isAborted(0), network.isAborted(1)], ['streaming', false, true]);
  one.close();
  same(left(), before);
});

inPage('nothing is left of a thousand runs', async ({ Client, Network, content, memory, left, until, settle, same }) => {
  const network = new Network();
  const client = new Client('/');
  const round = async (runs) => {
    for (let done = 0; done < runs; done += 1) {
      const at = network.count;
      const slot = client.open(0);
      if (at % 3 > 0) {
        network.head(at);
        network.send(at, content(1, 'text that is held'.repeat(100)));
      }
      if (at % 3 > 1) await until(() => client.text !== '');
      client.call((raw, now) => raw.close(slot, now));
      client.call((raw) => raw.release(slot));
      Object.assign(client, { deltas: [], texts: [] });
    }
    await settle();
    return [memory().buffer.byteLength, left()];
  };
  await round(100);
  const before = await round(50);
  same(await round(1_000), before);
  client.over();
});

inPage('nothing is left of a hundred clients', async ({ Client, blobUrl, content, done, memory, left, until, settle, same }) => {
  const url = blobUrl(content(1, 'text'.repeat(5_000)) + done(2));
  const round = async (clients) => {
    for (let at = 0; at < clients; at += 1) {
      const client = new Client(url, { transports: [['fetch', 'eventsource'][at % 2]] });
      const slot = client.open(0);
      if (at % 3 > 0) await until(() => client.ends(slot));
      client.call((raw, now) => raw.status('s', now));
      client.over();
      await settle();
    }
    return [memory().buffer.byteLength, left()];
  };
  const before = await round(12);
  same(await round(100), before);
});

inPage('a run is collected when its page has let it go, and its time to be found again is over', async ({ RunClient, Network, content, done, settle, until }) => {
  const network = new Network();
  const client = new RunClient({ baseUrl: '/', replay: { ttlMs: 50 } });
  const begin = async () => {
    const run = client.open({ sessionId: 's', runId: 'r' });
    run.subscribe(() => run.getSnapshot());
    network.head(0);
    network.send(0, content(1, 'x'), done(2));
    await run.finished;
    return new WeakRef(run);
  };
  const gone = await begin();
  network.calls = [];
  await settle();
  await until(() => {
    globalThis.gc();
    return gone.deref() === undefined;
  });
  client.close();
});

inPage('what waits for headers that never come is let go', async ({ openFetch, headerSource, until }) => {
  const begin = () => {
    const tell = { head() {}, chunk() {}, end() {} };
    const headers = headerSource(() => new Promise(() => {}));
    openFetch({ url: '/', body: null, cursor: null, accept: 'text/event-stream' }, headers, tell)();
    return new WeakRef(tell);
  };
  const gone = Array.from({ length: 20 }, begin);
  await until(() => {
    globalThis.gc();
    return gone.every((one) => one.deref() === undefined);
  });
});

// ---- a trap ----

inOwnPage('a trap in an entry of the page ends everything, at every client', async ({ RunClient, Network, engine, content, takeUncaught, left, until, settle, same }) => {
  const before = left();
  const network = new Network();
  const clients = [new RunClient({ baseUrl: '/1' }), new RunClient({ baseUrl: '/2' })];
  const runs = clients.map((client) => client.open({ sessionId: 's', runId: 'r' }, { notify: 'sync' }));
  const heard = [];
  for (const run of runs) run.subscribe(({ status }) => heard.push(status));
  // Whom the aborts call may try to go on, or to close what is left.
  const refused = [];
  network.onAbort = (at) => {
    try {
      clients[at].open({ sessionId: 'again' });
    } catch ({ code }) {
      refused.push(code);
    }
    for (const client of clients) client.close();
  };
  network.head(0);
  network.send(0, content(1, 'kept'));
  await until(() => runs[0].getSnapshot().text === 'kept');
  engine().RawHost.prototype.chunk = () => { throw new WebAssembly.RuntimeError('unreachable'); };
  network.send(0, content(2, 'lost'));
  await until(() => heard.filter((status) => status === 'failed').length === 2);
  same(runs.map((run) => [run.getSnapshot().text, run.getSnapshot().error.code]), [['kept', 'engine-crashed'], ['', 'engine-crashed']]);
  await settle();
  same(left(), before);
  // Once, by whoever hit it, so that whoever watches the page hears of it.
  same(takeUncaught().map((fault) => fault.includes('engine crashed')), [true]);
  same(refused.length > 0 && refused.every((code) => code === 'engine-crashed'), true);
});

inOwnPage('a trap while an order is carried out ends what was ordered with it', async ({ RunClient, Network, engine, takeUncaught, left, settle, same }) => {
  const before = left();
  const network = new Network();
  const client = new RunClient({ baseUrl: '/' });
  const first = client.open({ sessionId: 'first', runId: 'r' });
  network.onAsk = () => {
    network.onAsk = null;
    engine().RawHost.prototype.status = () => { throw new WebAssembly.RuntimeError('unreachable'); };
    client.resume('s').catch(() => {});
  };
  const codes = [];
  try {
    codes.push(client.open({ sessionId: 'second', runId: 'r' }).getSnapshot().error.code);
  } catch ({ code }) {
    codes.push(code);
  }
  same([codes, first.getSnapshot().error.code, left()], [['engine-crashed'], 'engine-crashed', before]);
  same(client.connection.getSnapshot().state, 'failed');
  await settle();
  same([client.connection.getSnapshot().state, takeUncaught()], ['failed', []]);
});

inOwnPage('a trap behind a close, in one turn, is no second fault', async ({ RunClient, Network, engine, takeUncaught, settle, same }) => {
  new Network();
  const [closed, other] = [new RunClient({ baseUrl: '/' }), new RunClient({ baseUrl: '/' })];
  const run = closed.open({ sessionId: 's', runId: 'r' });
  other.open({ sessionId: 's', runId: 'r' });
  closed.close();
  engine().RawHost.prototype.status = () => { throw new WebAssembly.RuntimeError('unreachable'); };
  await other.resume('s').catch(({ code }) => same(code, 'engine-crashed'));
  await settle();
  // The closed one's end was told before.
  same([run.getSnapshot().error.code, takeUncaught()], ['aborted', []]);
});
