// Strangers' code in the middle of ours: below wake, in a wrapper of `fetch`, in a listener of an abort. It may do anything
// that a page may do to a client, and harms nobody but itself.

import { inPage } from './support/in-page.mjs';

// ---- below wake ----

inPage('an exception out of wake harms nothing', async ({ Client, Network, content, done, takeUncaught, until, settle, same, ok }) => {
  const network = new Network();
  const client = new Client('/', { onWake: () => { throw new Error("a listener's fault"); } });
  const slot = client.open(0);
  network.head(0);
  network.send(0, content(1, 'one '));
  await until(() => client.text === 'one ');
  network.send(0, content(2, 'two'), done(3));
  await until(() => client.ends(slot));
  same(client.text, 'one two');
  client.over();
  await settle();
  const uncaught = takeUncaught();
  ok(uncaught.length > 0 && uncaught.every((fault) => fault.includes("a listener's fault")), uncaught.join());
});

inPage('every raw method may be called inside wake', async ({ Client, blobUrl, STARTED, content, done, until }) => {
  // On slots that live, are settled, are gone and never were.
  const callEverything = (client, round) => {
    const call = (fn) => client.driver.call(fn);
    const slot = client.driver.begin((raw, now) => [
      () => raw.send('s', 'q', '{}', undefined, false, now),
      () => raw.open('s', round % 2 ? undefined : 'r', '1-0', undefined, now),
      () => raw.subscribe('s', 'r', undefined, now),
    ][round % 3]());
    for (const other of [slot, slot - 1, slot - 2, 0, 999_999, 2 ** 32 - 1]) {
      call((raw) => raw.listen(other, true));
      call((raw) => raw.watch(other, (round % 3) - 1));
      client.driver.read(other);
      call((raw, now) => raw.retry(other, 'q2', '{}', now));
      client.flush();
    }
    call((raw, now) => raw.status('s', now));
    call((raw, now) => raw.stop('other', now));
    call((raw, now) => raw.close(slot, now));
    call((raw, now) => raw.retry(slot, 'q3', undefined, now));
    if (round % 4 === 0) call((raw) => raw.release(slot));
    client.read(slot);
    client.flush();
  };
  const url = blobUrl(STARTED + content(1, 'a') + content(2, 'b') + done(3));
  for (const transport of ['fetch', 'eventsource']) {
    let rounds = 0;
    const client = new Client(url, {
      transports: [transport],
      retry: { maxAttempts: 3 },
      onWake: (self) => {
        if (rounds < 60) callEverything(self, rounds += 1);
      },
    });
    for (const pace of [0, 1]) client.open(pace);
    await until(() => rounds === 60);
    client.over();
  }
});

inPage('a run may be released by what it woke', async ({ Client, blobUrl, content, done, left, until, settle, same }) => {
  const log = content(1, 'text') + done(2);
  for (const transport of ['fetch', 'eventsource']) {
    for (const at of [1, 2]) {
      let woken = 0;
      const client = new Client(blobUrl(log), {
        transports: [transport],
        onWake: ({ driver }) => {
          woken += 1;
          if (woken < at) return;
          driver.call((raw, now) => raw.close(1, now));
          driver.call((raw) => raw.release(1));
        },
      });
      client.open(0);
      await until(() => woken >= at);
      same([left().requests, left().sources], [0, 0]);
      await settle();
      client.over();
    }
  }
});

inPage('a client may be closed by what it woke, in the middle of a chunk of many windows', async ({ Client, Network, content, left, until, settle, same, ok }) => {
  const network = new Network();
  const before = left();
  let isClosed = false;
  const client = new Client('/', {
    onWake: (self) => {
      if (isClosed || self.text === '') return;
      isClosed = true;
      self.over();
    },
  });
  client.open(0);
  client.open(1, 'other');
  for (const at of [0, 1]) network.head(at);
  network.send(0, Array.from({ length: 400 }, (_, at) => content(at + 1, 'x'.repeat(1_000))).join(''));
  await until(() => isClosed);
  same(left(), before);
  const { wakes } = client;
  await settle();
  same(client.wakes, wakes, 'what was left of the chunk is nobody\'s');
  ok(client.text.length < 400_000);
});

inPage('a page event dispatched inside wake is an entry of its own', async ({ Client, Network, content, done, tellWindow, until, same, ok }) => {
  const network = new Network();
  let isArmed = false;
  const client = new Client('/', {
    onWake: () => {
      if (!isArmed) return;
      isArmed = false;
      tellWindow('pagehide');
      tellWindow('pageshow');
    },
  });
  const slot = client.open(0);
  network.head(0);
  await until(() => client.isOpen(slot));
  isArmed = true;
  network.send(0, content(1, 'one '));
  await until(() => network.count === 2);
  ok(network.isAborted(0));
  network.head(1);
  network.send(1, content(2, 'two'), done(3));
  await until(() => client.ends(slot));
  same(client.text, 'one two');
  client.over();
});

// ---- in the middle of an order ----

inPage('who hears an abort may call back', async ({ Client, Network, content, left, until, same }) => {
  const acts = [
    (raw, now) => raw.close(1, now),
    (raw) => raw.release(1),
    (raw, now) => raw.stop('s', now),
    (raw, now) => raw.shutdown(now),
  ];
  for (const act of acts) {
    const network = new Network();
    const client = new Client('/');
    let heard = 0;
    network.onAbort = () => {
      heard += 1;
      client.flush();
      client.read(1);
      client.driver.call((raw, now) => raw.close(1, now));
      client.driver.call((raw) => raw.release(2));
    };
    client.open(0);
    client.open(0);
    network.head(0);
    network.send(0, content(1, 'x'));
    await until(() => client.text === 'x');
    client.driver.call(act);
    client.over();
    same([heard, left().requests], [network.count, 0]);
  }
});

inPage('a run that is closed by whom its own request calls leaves nothing open', async ({ Client, Network, left, settle, same }) => {
  for (const act of [(raw, now) => raw.close(1, now), (raw) => raw.release(1)]) {
    const network = new Network();
    const client = new Client('/');
    network.onAsk = () => {
      network.onAsk = null;
      client.driver.call(act);
    };
    client.open(0);
    same([network.count, left().requests], [1, 0]);
    await settle();
    client.over();
  }
});

inPage('a client that is closed by whom its own request calls leaves nothing open', async ({ Client, Network, tellWindow, left, settle, same }) => {
  const before = left();
  const network = new Network();
  const client = new Client('/');
  client.open(0);
  client.open(0, 'other');
  // Both go, and both are asked for again in one turn: the first request of those closes the client.
  tellWindow('pagehide');
  same(network.count, 2);
  network.onAsk = () => {
    network.onAsk = null;
    client.over();
  };
  tellWindow('pageshow');
  same([network.count, left()], [3, before]);
  await settle();
});

inPage('the same for a source, and for one that cannot be had', async ({ Client, blobUrl, left, settle, same }) => {
  const before = left();
  const { EventSource } = globalThis;
  for (const isRefused of [false, true]) {
    const client = new Client(blobUrl(''), { transports: ['eventsource'] });
    globalThis.EventSource = class extends EventSource {
      constructor(...args) {
        super(...args);
        globalThis.EventSource = EventSource;
        client.over();
        if (isRefused) {
          this.close();
          throw new TypeError('no sources here');
        }
      }
    };
    client.open(0);
    same(left(), before);
  }
  await settle();
});

inPage('the same for a socket', async ({ RunClient, left, same }) => {
  const before = left();
  const { WebSocket } = globalThis;
  const client = new RunClient({ baseUrl: '/', protocol: 'ws-chat', transports: ['websocket'] });
  const told = [];
  globalThis.WebSocket = class {
    constructor() {
      told.push('opened');
      client.close();
    }

    close() {
      told.push('closed');
    }
  };
  try {
    const run = client.open({ sessionId: 's', runId: 'r' });
    same([(await run.finished).error.code, told, left()], ['aborted', ['opened', 'closed'], before]);
  } finally {
    globalThis.WebSocket = WebSocket;
  }
});

inPage('a page event dispatched by whom a request calls is carried out, too', async ({ Client, Network, tellWindow, content, done, until, same }) => {
  const network = new Network();
  const client = new Client('/');
  network.onAsk = () => {
    network.onAsk = null;
    tellWindow('pagehide');
    tellWindow('pageshow');
  };
  const slot = client.open(0);
  same([network.count, network.isAborted(0), network.isAborted(1)], [2, true, false]);
  network.head(1);
  network.send(1, content(1, 'text'), done(2));
  await until(() => client.ends(slot));
  same(client.text, 'text');
  client.over();
});

// ---- through the public client ----

inPage('a client that is closed by its own request: the run is told as aborted', async ({ RunClient, Network, left, same }) => {
  const before = left();
  const network = new Network();
  for (const begin of ['send', 'open']) {
    const client = new RunClient({ baseUrl: '/' });
    network.onAsk = () => {
      network.onAsk = null;
      client.close();
    };
    const run = begin === 'send' ? client.send('s', 'hi') : client.open({ sessionId: 's', runId: 'r' });
    const { status, error } = await run.finished;
    same([status, error.code, run.getSnapshot().status], ['interrupted', 'aborted', 'interrupted']);
    same(left(), before);
  }
});

inPage('a client that is closed by its own question: the question is answered all the same', async ({ RunClient, Network, left, same }) => {
  const before = left();
  const network = new Network();
  for (const ask of [(client) => client.stop('s'), (client) => client.resume('s')]) {
    const client = new RunClient({ baseUrl: '/' });
    network.onAsk = () => {
      network.onAsk = null;
      client.close();
    };
    same([await ask(client) ?? null, left()], [null, before]);
  }
});

inPage('a subscription whose own request closes the client resolves', async ({ RunClient, Network, left, same }) => {
  const before = left();
  const network = new Network();
  const client = new RunClient({ baseUrl: '/' });
  network.onAsk = () => {
    network.onAsk = null;
    client.close();
  };
  await client.subscribeRunEvents('s', 'r', { onChunk() {} });
  same(left(), before);
});

inPage('a request that asks for another run while its own begins: both are told of from their beginning', async ({ RunClient, Network, content, done, until, same }) => {
  const network = new Network();
  const client = new RunClient({ baseUrl: '/' });
  let inner;
  network.onAsk = () => {
    network.onAsk = null;
    inner = client.open({ sessionId: 'inner', runId: 'r' });
    client.stop('nobody');
  };
  const outer = client.open({ sessionId: 'outer', runId: 'r' });
  // The first delta says so; it must not be lost to the flush of a call in between.
  same([outer, inner].map((run) => run.getSnapshot().connection.state), ['connecting', 'connecting']);
  await until(() => network.count === 3);
  const at = (session) => network.calls.findIndex(({ url }) => url.includes(`sessionId=${session}`));
  for (const session of ['outer', 'inner']) {
    network.head(at(session));
    network.send(at(session), content(1, session), done(2));
  }
  same([(await outer.finished).text, (await inner.finished).text], ['outer', 'inner']);
  client.close();
});

inPage('a client that is closed while a frame is flushed has told its runs to the end', async ({ RunClient, ScriptedSource, left, same }) => {
  const before = left();
  const client = new RunClient({ baseUrl: '/', transports: ['eventsource'] });
  const source = new ScriptedSource();
  source.onClose = () => client.close();
  const run = client.open({ sessionId: 's', runId: 'r' });
  run.subscribe(() => {});
  source.open();
  source.tell('content', '1-0', { type: 'content', content: 'text' });
  // Its name does not say that it is the last: only the flush finds out, and closes the source.
  source.tell('message', '2-0', { type: 'done' });
  same([(await run.finished).status, run.getSnapshot().text, left()], ['completed', 'text', before]);
});

inPage('what a source told before its run or client was closed is kept', async ({ RunClient, ScriptedSource, left, same }) => {
  const before = left();
  for (const isWhole of [false, true]) {
    const client = new RunClient({ baseUrl: '/', transports: ['eventsource'] });
    const source = new ScriptedSource();
    const run = client.open({ sessionId: 's', runId: 'r' });
    run.subscribe(() => {});
    source.open();
    source.tell('content', '1-0', { type: 'content', content: 'text' });
    (isWhole ? client : run).close();
    const { status, text, cursor } = run.getSnapshot();
    same([status, text, cursor], ['interrupted', 'text', '1-0'], String(isWhole));
    client.close();
    same(left(), before);
  }
});

inPage('a listener may close its client, and hears no more than the end', async ({ RunClient, Network, content, left, until, settle, same }) => {
  const before = left();
  const network = new Network();
  for (const notify of ['sync', 'frame', 'idle', 20]) {
    const client = new RunClient({ baseUrl: '/' });
    const run = client.open({ sessionId: 's', runId: 'r' }, { notify });
    const heard = [];
    run.subscribe(({ status, text }) => {
      heard.push(status);
      if (text !== '') client.close();
    });
    const at = network.count - 1;
    network.head(at);
    network.send(at, content(1, 'x'), content(2, 'y'));
    await run.finished;
    await settle();
    same([heard.at(-1), heard.filter((status) => status === 'interrupted').length, left()], ['interrupted', 1, before]);
  }
});

inPage('listeners that throw, subscribe, leave and begin runs harm nobody', async ({ RunClient, Network, content, done, takeUncaught, until, settle, same }) => {
  const network = new Network();
  const client = new RunClient({ baseUrl: '/' });
  const run = client.open({ sessionId: 's', runId: 'r' }, { notify: 'sync' });
  const heard = [];
  let more = 0;
  run.subscribe(() => { throw new Error("a listener's fault"); });
  const leave = run.subscribe(({ text }) => {
    if (text === '') return;
    leave();
    client.open({ sessionId: `more ${more += 1}`, runId: 'r' }).close();
    run.subscribe(({ text: later }) => heard.push(later));
  });
  run.subscribe(({ text }) => heard.push(text));
  network.head(0);
  network.send(0, content(1, 'one '));
  await until(() => heard.includes('one '));
  network.send(0, content(2, 'two'), done(3));
  await run.finished;
  same([heard.filter((text) => text === 'one two').length > 1, more], [true, 1]);
  client.close();
  await settle();
  same(takeUncaught().every((fault) => fault.includes("a listener's fault")), true);
});
