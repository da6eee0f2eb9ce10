// What each transport tells, in what order, and that it tells nothing after its close.

import { inPage } from './support/in-page.mjs';

// ---- fetch ----

inPage('a stream tells its head, its bytes and its end, and nothing before it is opened', async ({ openFetch, blobUrl, until, settle, same, ok }) => {
  const body = 'data: 1\n\n'.repeat(1 << 19);
  const told = [];
  const chunks = [];
  openFetch({ url: blobUrl(body), body: null, cursor: null, accept: 'text/event-stream', credentials: 'same-origin' }, undefined, {
    head: ({ status }) => told.push(`head ${status}`),
    chunk: (bytes) => chunks.push(bytes),
    end: (how) => told.push(how),
  });
  same(told, []);
  await until(() => told.length === 2);
  same(told, ['head 200', 'ended']);
  ok(chunks.length > 1, 'such a body comes in pieces');
  ok(await new Blob(chunks).text() === body);
  await settle();
  same(told.length, 2);
});

inPage('whatever goes wrong is told once, after what came', async ({ openFetch, blobUrl, revoke, Network, until, settle, same }) => {
  const open = (url) => {
    const told = [];
    openFetch({ url, body: null, cursor: null, accept: 'text/event-stream', credentials: 'same-origin' }, undefined, {
      head: ({ status }) => told.push(`head ${status}`),
      chunk: (bytes) => told.push(new TextDecoder().decode(bytes)),
      end: (how) => told.push(how),
    });
    return told;
  };
  const gone = blobUrl('');
  revoke(gone);
  const real = [[open(gone), ['failed']], [open('http://['), ['failed']]];
  const refused = open('/nothing-is-here');
  await until(() => refused.at(-1) === 'ended');
  same(refused[0], 'head 404');

  const network = new Network();
  const scripted = Array.from({ length: 4 }, () => open('/'));
  network.refuse(0);
  network.respond(1, new Response(null, { status: 204 }));
  const spent = new Response('spent', { headers: { 'content-type': 'text/event-stream' } });
  spent.body.getReader();
  network.respond(2, spent);
  network.head(3);
  network.send(3, ': hello\n\n');
  await until(() => scripted[3].length === 2);
  network.break(3);
  await settle();
  for (const [told, all] of real) same(told, all);
  same(scripted, [['failed'], ['head 204', 'ended'], ['head 200', 'failed'], ['head 200', ': hello\n\n', 'failed']]);
});

inPage('closed at any point it is aborted and tells nothing more', async ({ openFetch, Network, until, settle, same }) => {
  const network = new Network();
  for (const before of [0, 1, 2, 3]) {
    const at = network.count;
    const told = [];
    const close = openFetch({ url: '/', body: null, cursor: null, accept: 'text/event-stream' }, undefined, {
      head: () => told.push('head'), chunk: () => told.push('chunk'), end: (how) => told.push(how),
    });
    if (before > 0) network.head(at);
    if (before > 1) network.send(at, 'one');
    await until(() => told.length === Math.min(before, 2));
    // On its way already when the stream is closed.
    if (before > 2) network.send(at, 'two');
    close();
    same(network.isAborted(at), true);
    close();
    await settle();
    same(told.length, Math.min(before, 2));
  }
});

inPage('whom it tells may close it', async ({ openFetch, blobUrl, until, settle, same }) => {
  for (const [last, all] of [['head', ['head']], ['chunk', ['head', 'chunk']], ['end', ['head', 'chunk', 'end']]]) {
    const told = [];
    const tell = (what) => () => {
      told.push(what);
      if (what === last) close();
    };
    const close = openFetch({ url: blobUrl('one'), body: null, cursor: null, accept: 'text/event-stream' }, undefined, {
      head: tell('head'), chunk: tell('chunk'), end: tell('end'),
    });
    await until(() => told.at(-1) === last);
    await settle();
    same(told, all);
  }
});

inPage('what was asked is what was meant', async ({ openFetch, Network, left, same }) => {
  const network = new Network();
  const tell = { head() {}, chunk() {}, end() {} };
  const closes = [
    { url: '/events?runId=r', body: null, cursor: '17-0', accept: 'text/event-stream', keepalive: false, credentials: 'omit' },
    { url: '/stop', body: '{}', cursor: null, accept: 'application/json', keepalive: true, credentials: 'include' },
    { url: '/stream', body: '{}', cursor: null, accept: 'text/event-stream', keepalive: false, credentials: 'include' },
    { url: '/status', body: null, cursor: null, accept: 'application/json', keepalive: true, credentials: 'include' },
    // A header takes no character beyond Latin-1; the cursor is in the query, too.
    { url: '?lastEventId=x', body: null, cursor: 'жж', accept: 'text/event-stream', keepalive: false, credentials: 'include' },
  ].map((request) => openFetch(request, undefined, tell));
  const asked = (name) => [0, 1, 2, 3, 4].map((at) => network.header(at, name));
  same(network.calls.map(({ url }) => url), ['/events?runId=r', '/stop', '/stream', '/status', '?lastEventId=x']);
  same(asked('last-event-id'), ['17-0', '', '', '', '']);
  same(asked('accept'), ['text/event-stream', 'application/json', 'text/event-stream', 'application/json', 'text/event-stream']);
  same(asked('content-type'), ['', 'application/json', 'application/json', '', '']);
  same([0, 1, 2, 3, 4].map((at) => [network.method(at), network.text(at)]), [['GET', ''], ['POST', '{}'], ['POST', '{}'], ['GET', ''], ['GET', '']]);
  // Browsers bound the bodies of all requests that outlive their page to 64 KiB together.
  same(network.calls.map(({ init }) => init.keepalive === true), [false, true, false, false, false]);
  same(network.calls.map(({ init }) => [init.credentials, init.cache]), ['omit', 'include', 'include', 'include', 'include'].map((one) => [one, 'no-store']));
  for (const close of closes) close();
  same(left().requests, 0);
});

inPage('a message longer than what may outlive its page is sent all the same', async ({ openFetch, until, same }) => {
  const text = 'x'.repeat(300_000);
  const send = (keepalive) => new Promise((resolve) => {
    let body = '';
    openFetch({ url: '/stream', body: text, cursor: null, accept: 'text/event-stream', keepalive, credentials: 'include' }, undefined, {
      head: () => {}, chunk: (bytes) => { body += new TextDecoder().decode(bytes); }, end: (how) => resolve([how, body]),
    });
  });
  same(await send(false), ['ended', '{"length":300000}']);
  // What a browser says of the same body otherwise: if this changes, so may the rule.
  same(await send(true), ['failed', '']);
});

inPage('headers are asked for each attempt and sent', async ({ openFetch, headerSource, Network, until, same }) => {
  const network = new Network();
  let asked = 0;
  const headers = headerSource(async () => ({ 'x-attempt': String(asked += 1), accept: 'text/html' }));
  for (const attempt of [0, 1]) {
    const close = openFetch({ url: '/', body: null, cursor: null, accept: 'text/event-stream' }, headers, { end() {} });
    same(network.count, attempt, 'not inside the call');
    await until(() => network.count === attempt + 1);
    same([network.header(attempt, 'x-attempt'), network.header(attempt, 'accept')], [String(attempt + 1), 'text/event-stream']);
    close();
  }
});

inPage('headers that cannot be had are a failure', async ({ openFetch, headerSource, Network, until, settle, same }) => {
  const network = new Network();
  const kinds = [async () => { throw new Error('no token'); }, () => { throw new Error('no token'); }, () => ({ 'no header': '\n' })];
  for (const kind of kinds) {
    const told = [];
    openFetch({ url: '/', body: null, cursor: null, accept: 'text/event-stream' }, headerSource(kind), { end: (how) => told.push(how) });
    await until(() => told.length > 0);
    await settle();
    same([told, network.count], [['failed'], 0]);
  }
});

inPage('headers that come after the close start nothing', async ({ openFetch, headerSource, Network, settle, same }) => {
  const network = new Network();
  const told = [];
  let give;
  const headers = headerSource(() => new Promise((resolve) => { give = resolve; }));
  const close = openFetch({ url: '/', body: null, cursor: null, accept: 'text/event-stream' }, headers, { end: (how) => told.push(how) });
  await settle();
  close();
  give({});
  await settle();
  same([network.count, told], [0, []]);
});

// ---- the browser's own source ----

inPage('frames of all names come out as they went in', async ({ openSource, blobUrl, until, same }) => {
  const bodies = [
    'id: 1-0\nevent: content\ndata: {"content":"ж😀"}\n\nid: 2-0\nevent: tool_start\ndata: {}\n\nid: 3-0\nevent: message\ndata: plain\n\n',
    // Data of several lines stays so.
    'id: 1\nevent: content\ndata: {\ndata: \ndata:  "a": 1\ndata: }\n\n',
    // The browser repeats the last id on messages that have none.
    'event: content\ndata: a\n\nid: 1\nevent: content\ndata: b\n\nevent: content\ndata: c\n\nid: 2\nevent: content\ndata: d\n\n',
    // A frame that comes twice keeps the id that tells.
    'id: 7-0\nevent: content\ndata: a\n\nid: 7-0\nevent: content\ndata: a\n\n',
  ];
  for (const body of bodies) {
    const told = [];
    let text = '';
    openSource({ url: blobUrl(body), credentials: 'include' }, {
      opened: () => told.push('opened'), frame: (frame) => { text += frame; }, end: (how) => told.push(how),
    });
    same(told, [], 'nothing is told before it is opened');
    await until(() => told.length === 2);
    same([told, text], [['opened', 'failed'], body]);
  }
});

inPage('a frame that may be the last is urgent, and an error that the server wrote is one', async ({ openSource, blobUrl, until, same }) => {
  const names = ['content', 'done', 'cancelled', 'failed', 'error', 'ping'];
  const body = names.map((name) => `event: ${name}\ndata: out of tokens\n\n`).join('');
  const told = [];
  openSource({ url: blobUrl(body), credentials: 'include' }, {
    opened: () => {}, frame: (text, isUrgent) => told.push([/event: (\w+)/.exec(text)[1], isUrgent]), end: (how) => told.push(how),
  });
  await until(() => told.at(-1) === 'failed');
  same(told, [['content', false], ['done', true], ['cancelled', true], ['failed', true], ['error', true], ['ping', false], 'failed']);
});

inPage('after an error the browser does not reconnect', async ({ openSource, blobUrl, left, until, timer, same }) => {
  // Its own reconnection would come at once, and bring the message again.
  const told = [];
  openSource({ url: blobUrl('retry: 0\ndata: a\n\n'), credentials: 'include' }, {
    opened: () => told.push('opened'), frame: () => told.push('frame'), end: (how) => told.push(how),
  });
  await until(() => told.at(-1) === 'failed');
  same(left().sources, 0);
  await timer(50);
  same(told, ['opened', 'frame', 'failed']);
});

inPage('an answer that is no event stream is a refusal, and no answer a loss', async ({ openSource, blobUrl, revoke, until, settle, same, ok }) => {
  const open = async (url) => {
    const told = [];
    openSource({ url, credentials: 'include' }, { opened: () => told.push('opened'), frame: () => told.push('frame'), end: (how) => told.push(how) });
    await until(() => told.length > 0);
    await settle();
    return told;
  };
  same(await open('/nothing-is-here'), ['refused']);
  same(await open(blobUrl('<html>', 'text/html')), ['refused']);
  const gone = blobUrl('');
  revoke(gone);
  // Which of the two differs from browser to browser; it is told once.
  const [how, ...more] = await open(gone);
  ok(how === 'failed' || how === 'refused');
  same(more, []);
});

inPage('a URL that is none opens nothing', ({ openSource, left, same }) => {
  let thrown = '';
  try {
    openSource({ url: 'http://[', credentials: 'include' }, {});
  } catch (error) {
    thrown = error.name;
  }
  same([thrown, left().sources], ['SyntaxError', 0]);
});

inPage('a source that is closed tells nothing more', async ({ openSource, blobUrl, left, timer, same }) => {
  const told = [];
  const tell = () => told.push('told');
  const close = openSource({ url: blobUrl('data: a\n\n'.repeat(10_000)), credentials: 'include' }, { opened: tell, frame: tell, end: tell });
  close();
  same(left().sources, 0);
  await timer(50);
  close();
  same(told, []);
});

inPage('whom a source tells may close it', async ({ openSource, blobUrl, left, until, timer, same }) => {
  const body = 'data: a\n\ndata: b\n\nevent: done\ndata: {}\n\n';
  for (const [last, count] of [['opened', 1], ['frame', 2], ['urgent', 4], ['end', 5]]) {
    const told = [];
    const tell = (what) => {
      told.push(what);
      if (what === last) close();
    };
    const close = openSource({ url: blobUrl(body), credentials: 'include' }, {
      opened: () => tell('opened'), frame: (_, isUrgent) => tell(isUrgent ? 'urgent' : 'frame'), end: () => tell('end'),
    });
    await until(() => told.includes(last));
    await timer(20);
    same([told.length, told.at(-1), left().sources], [count, last, 0]);
  }
});

inPage('credentials go with a source where they were asked for', ({ openSource, blobUrl, same }) => {
  const { EventSource } = globalThis;
  const asked = [];
  globalThis.EventSource = class extends EventSource {
    constructor(url, init) {
      super(url, init);
      asked.push(this.withCredentials);
    }
  };
  try {
    for (const credentials of ['include', 'same-origin', 'omit']) openSource({ url: blobUrl(''), credentials }, {})();
  } finally {
    globalThis.EventSource = EventSource;
  }
  same(asked, [true, false, false]);
});
