// The driver with the real engine: runs from their order to their end, through both transports, and when the page is woken.

import { inPage } from './support/in-page.mjs';

// ---- runs ----

inPage('a message is sent once and its run followed to the end', async ({ Client, Network, STARTED, content, done, left, until, same, ok }) => {
  const network = new Network();
  const client = new Client('/base');
  const slot = client.call((raw, now) => raw.send('s', 'q', '{"content":"hi"}', undefined, false, now), 'begin');
  client.call((raw) => raw.watch(slot, 1));
  same([network.method(0), network.text(0), network.calls[0].init.keepalive], ['POST', '{"content":"hi"}', false]);
  network.head(0);
  network.send(0, STARTED);
  await until(() => network.count === 2);
  ok(network.isAborted(0), 'the exact log takes over');
  same(network.url(1), '/base/events?sessionId=s&runId=r');
  network.head(1);
  network.send(1, content(1, 'Hello '), content(2, 'world'), done(3));
  await until(() => client.ends(slot));
  same([client.state(slot, 'status'), client.text, client.ends(slot)], ['completed', 'Hello world', 1]);
  same(left().requests, 0);
  client.over();
});

inPage('both transports bring the same text of any size and script', async ({ Client, blobUrl, content, done, until, same, ok }) => {
  let log = '';
  let all = '';
  for (let at = 1; at <= 600; at += 1) {
    // More than a window in all, and one event larger than a window; two to four bytes a character.
    const text = ['ж', '😀', '漢字', 'a\nb"\\', ' '][at % 5].repeat(at === 300 ? 40_000 : at);
    log += content(at, text);
    all += text;
  }
  const url = blobUrl(log + done(601));
  for (const transport of ['fetch', 'eventsource']) {
    for (const pace of [0, 1]) {
      const client = new Client(url, { transports: [transport] });
      const slot = client.open(pace);
      await until(() => client.ends(slot));
      ok(client.text === all, `${transport} ${pace}: ${client.text.length} of ${all.length}`);
      same([client.state(slot, 'status'), client.state(slot, 'cursor')], ['completed', '601-0']);
      client.over();
    }
  }
});

inPage('a chunk larger than the window is read whole, also when the memory grows on the way', async ({ Client, Network, content, done, memory, until, same, ok }) => {
  const network = new Network();
  const client = new Client('/');
  const slot = client.open(0);
  network.head(0);
  const before = memory().buffer.byteLength;
  // Held by the engine, so that its memory must grow, while the rest of the chunk waits outside.
  const texts = Array.from({ length: 40 }, (_, at) => String.fromCharCode(0x430 + (at % 32)).repeat(60_000));
  network.send(0, texts.map((text, at) => content(at + 1, text)).join('') + done(41));
  await until(() => client.ends(slot));
  ok(memory().buffer.byteLength > before, 'the memory has grown');
  ok(client.text === texts.join(''));
  client.over();
});

inPage('a lost connection goes on behind the cursor', async ({ Client, Network, content, done, until, same }) => {
  const network = new Network();
  const client = new Client('/');
  const slot = client.open(0);
  for (const [at, text] of ['one ', 'two ', 'three'].entries()) {
    await until(() => network.count === at + 1);
    same(network.header(at, 'last-event-id'), ['', '1-0', '2-0'][at]);
    network.head(at);
    network.send(at, content(at + 1, text));
    await until(() => client.text.endsWith(text));
    if (at < 2) network.break(at);
  }
  network.send(2, done(4));
  await until(() => client.ends(slot));
  same([client.state(slot, 'status'), client.text], ['completed', 'one two three']);
  client.over();
});

inPage('a refused native source says why', async ({ Client, until, same }) => {
  // Nothing is at this address of the test's own server: 404, for the source, the diagnosis and the status.
  const client = new Client('/nothing-is-here', { transports: ['eventsource'] });
  const slot = client.open(1);
  await until(() => client.ends(slot));
  const { code, status } = client.state(slot, 'error');
  same([client.state(slot, 'status'), code, status], ['interrupted', 'run-not-found', 404]);
  client.over();
});

inPage('an address that is none ends in an error', async ({ Client, until, same }) => {
  for (const transport of ['fetch', 'eventsource']) {
    const client = new Client('http://[', { transports: [transport], retry: { maxAttempts: 2 } });
    const slot = client.open(1);
    await until(() => client.ends(slot));
    same([client.state(slot, 'status'), client.state(slot, 'error').code], ['interrupted', 'gave-up'], transport);
    client.over();
  }
});

inPage('a response that a wrapper of fetch has read is a lost connection', async ({ Client, Network, content, done, EVENT_STREAM, until, same }) => {
  const network = new Network();
  const client = new Client('/');
  const slot = client.open(0);
  const spent = new Response('spent', { headers: { 'content-type': EVENT_STREAM } });
  spent.body.getReader();
  network.respond(0, spent);
  await until(() => network.count === 2);
  network.head(1);
  network.send(1, content(1, 'whole'), done(2));
  await until(() => client.ends(slot));
  same([client.text, client.state(slot, 'status')], ['whole', 'completed']);
  client.over();
});

// ---- waking ----

inPage('nobody is woken for the text of an unwatched run', async ({ Client, Network, content, done, until, timer, same }) => {
  const network = new Network();
  const client = new Client('/');
  const slot = client.open(-1);
  network.head(0);
  network.send(0, content(1, 'unseen '));
  await until(() => client.state(slot, 'status') === 'streaming');
  const { wakes } = client;
  network.send(0, content(2, 'still'));
  // A frame and the timer behind it have passed.
  await timer(130);
  same([client.wakes, client.text], [wakes, '']);
  same(client.read(slot), 'unseen still');
  network.send(0, done(3));
  await until(() => client.ends(slot));
  client.over();
});

inPage('a run at sync pace wakes with each chunk', async ({ Client, Network, content, stopFrames, until, same }) => {
  const network = new Network();
  const client = new Client('/');
  const slot = client.open(0);
  network.head(0);
  await until(() => client.isOpen(slot));
  client.texts = [];
  stopFrames(true);
  // Five reads, one behind the other: no timer comes between.
  for (let at = 1; at <= 5; at += 1) network.send(0, content(at, 'x'));
  await until(() => client.text === 'xxxxx');
  same(client.texts, ['x', 'x', 'x', 'x', 'x']);
  client.over();
});

inPage('a page without frames is kept up to date', async ({ Client, Network, content, stopFrames, until }) => {
  const network = new Network();
  const client = new Client('/');
  client.open(1);
  stopFrames(true);
  network.head(0);
  network.send(0, content(1, 'by the timer'));
  await until(() => client.text === 'by the timer');
  client.over();
});

inPage('many chunks of one frame make one wake', async ({ Client, Network, content, stopFrames, until, settle, same }) => {
  const network = new Network();
  const client = new Client('/');
  client.open(1);
  network.head(0);
  network.send(0, content(1, 'x'));
  await until(() => client.text === 'x');
  await settle();
  const { wakes } = client;
  stopFrames(true);
  for (let at = 2; at <= 50; at += 1) network.send(0, content(at, 'x'));
  await until(() => client.text.length === 50);
  same(client.wakes, wakes + 1);
  client.over();
});

inPage('messages of a native source are gathered until the frame, and the last one is not', async ({ Client, blobUrl, content, done, stopFrames, until, same }) => {
  const log = Array.from({ length: 50 }, (_, at) => content(at + 1, 'x')).join('');
  stopFrames(true);
  const client = new Client(blobUrl(log + done(51)), { transports: ['eventsource'] });
  const slot = client.open(1);
  const { wakes } = client;
  await until(() => client.ends(slot));
  same([client.text.length, client.wakes - wakes <= 2], [50, true]);
  client.over();
});

inPage('what may be the last message of a source is fed at once, and every one where somebody is in a hurry', ({ Client, ScriptedSource, same }) => {
  for (const pace of [0, 1]) {
    const client = new Client('/', { transports: ['eventsource'] });
    const source = new ScriptedSource();
    const slot = client.open(pace);
    source.open();
    source.tell('content', '1-0', { type: 'content', content: 'text' });
    same(client.text, pace === 0 ? 'text' : '');
    source.tell('done', '2-0', { type: 'done' });
    same([client.text, client.ends(slot)], ['text', 1]);
    client.over();
  }
});

// ---- the page's weather ----

inPage('a page that is left lets its connection go and takes it up again when it is back', async ({ Client, Network, content, done, tellWindow, tellDocument, left, until, timer, same, ok }) => {
  for (const [tell, leave, back] of [[tellWindow, 'pagehide', 'pageshow'], [tellDocument, 'freeze', 'resume']]) {
    const network = new Network();
    const client = new Client('/');
    const slot = client.open(0);
    network.head(0);
    network.send(0, content(1, 'before, '));
    await until(() => client.text === 'before, ');
    tell(leave);
    ok(network.isAborted(0));
    same(left().requests, 0);
    await timer(20);
    same([network.count, client.ends(slot)], [1, 0]);
    tell(back);
    same([network.count, network.header(1, 'last-event-id')], [2, '1-0']);
    network.head(1);
    network.send(1, content(2, 'after'), done(3));
    await until(() => client.ends(slot));
    same(client.text, 'before, after');
    client.over();
  }
});

inPage('offline a lost connection waits for the network', async ({ Client, Network, content, setOnline, tellWindow, until, timer, same }) => {
  const network = new Network();
  const client = new Client('/');
  const slot = client.open(0);
  network.head(0);
  network.send(0, content(1, 'before, '));
  await until(() => client.text === 'before, ');
  setOnline(false);
  tellWindow('offline');
  network.break(0);
  await until(() => client.state(slot, 'connection').state === 'offline');
  // The retry would come after one ms.
  await timer(30);
  same(network.count, 1);
  const begun = client.open(0);
  same([network.count, client.state(begun, 'connection').state], [1, 'offline']);
  setOnline(true);
  tellWindow('online');
  same(network.count, 3);
  client.over();
});

inPage('what the page did not tell is seen when the next run begins', ({ Client, Network, setOnline, same }) => {
  const network = new Network();
  const client = new Client('/');
  setOnline(false);
  const slot = client.open(0);
  same([network.count, client.state(slot, 'connection').state], [0, 'offline']);
  setOnline(true);
  client.open(0);
  same(network.count, 2, 'the first one has heard of it, too');
  client.over();
});

// ---- questions ----

inPage('every question is answered once', async ({ Client, Network, until, same, ok }) => {
  const network = new Network();
  const client = new Client('/', { stopTimeoutMs: 20 });
  const tickets = ['a', 'b', 'c'].map((session) => client.call((raw, now) => raw.status(session, now)));
  tickets.push(client.call((raw, now) => raw.stop('d', now)));
  same(network.calls.map(({ init }) => init.keepalive === true), [false, false, false, true], 'a stop outlives its page');
  network.head(0, 200, 'application/json');
  network.send(0, '{"active":true,', '"runId":"r"}');
  network.end(0);
  network.head(1, 503, 'text/plain');
  network.end(1);
  network.refuse(2);
  await until(() => tickets.every((ticket) => client.answer(ticket)));
  const [good, refused, lost, late] = tickets.map((ticket) => client.answer(ticket));
  same([good.body.runId, refused.error.status, lost.error.code, late.error.code], ['r', 503, 'request-failed', 'request-timeout']);
  ok(network.isAborted(3));
  same(client.deltas.length, 4);
  client.over();
});

inPage('a reply larger than the window is one answer, and half a reply is none', async ({ Client, Network, until, same }) => {
  const network = new Network();
  const client = new Client('/');
  const [whole, half] = ['a', 'b'].map((session) => client.call((raw, now) => raw.status(session, now)));
  const text = 'ж'.repeat(100_000);
  network.head(0, 200, 'application/json');
  network.send(0, JSON.stringify({ active: false, text }));
  network.end(0);
  network.head(1, 200, 'application/json');
  network.send(1, '{"active":');
  network.break(1);
  await until(() => client.answer(whole) && client.answer(half));
  same([client.answer(whole).body.text === text, client.answer(half).error.code], [true, 'request-failed']);
  client.over();
});

inPage('a reply without end is none, and its request is aborted', async ({ Client, Network, until, same, ok }) => {
  const network = new Network();
  const client = new Client('/');
  const ticket = client.call((raw, now) => raw.status('a', now));
  network.head(0, 200, 'application/json');
  const megabyte = ' '.repeat(1 << 20);
  for (let sent = 0; sent < 17; sent += 1) network.send(0, megabyte);
  await until(() => client.answer(ticket));
  same(client.answer(ticket).error.code, 'request-failed');
  ok(network.isAborted(0));
  client.over();
});

inPage('a stop ends the runs of its session and no other', async ({ Client, Network, until, same }) => {
  const network = new Network();
  const client = new Client('/');
  const mine = client.open(1, 'mine');
  const other = client.open(1, 'other');
  const subscribed = client.call((raw, now) => raw.subscribe('mine', 'r', undefined, now), 'begin');
  const ticket = client.call((raw, now) => raw.stop('mine', now));
  same([network.url(3), network.text(3)], ['//stop', '{"sessionId":"mine"}']);
  network.head(3, 200, 'application/json');
  network.send(3, '{"success":true}');
  network.end(3);
  await until(() => client.ends(mine));
  same([client.state(mine, 'status'), client.answer(ticket).ok, client.ends(other), client.ends(subscribed)], ['cancelled', true, 0, 0]);
  client.over();
});
