// The loop around the engine: feed one input, carry out the orders, arm the timer, ask for a frame. No policy: which task is
// opened and what its end means is the engine's decision.
//
// User code runs in one place only: below `wake`, the last act of an entry; a custom protocol's `decode` runs as the first act of
// one. An entry is a call by the page (a frame, a timer, a reader, a listener); calls by our own code never wake, because that code
// flushes by itself.
import { CustomReader } from '../custom-protocol.js';
import { guard } from '../instance.js';
import { callGuarded, report } from '../report.js';
import { Window } from '../window.js';
import { openAdopted } from './adopted-stream.js';
import { Alarm } from './alarm.js';
import { openFetch } from './fetch-stream.js';
import { openSource } from './event-source.js';
import { onFrame } from './frame.js';
import { placesAt } from './places.js';
import { recall, remember } from './remembered.js';
import { isGoodbye, onlineNow, watchPage, weatherNow } from './signals.js';
import { SharedStreams } from '../tabs/shared-streams.js';
import { openSocket } from './web-socket.js';

const [ORDERS, FRAME, NOW, HURRIED, DEADLINE] = [1, 2, 4, 8, 16];
/** Bits that ask for a frame at most: most chunks bring no more. */
const CALM = FRAME | HURRIED;
const ENDS = ['ended', 'failed', 'refused', 'overflown', 'moved', 'crowded'];
/** By the engine's numbers. */
export const TRANSPORTS = ['websocket', 'eventsource', 'fetch', 'rest'];
const encoder = new TextEncoder();

// In UTF-16 units. A request that outlives its page may have 64 KiB of body, together with the others that do.
const SMALL = 8192;

/** A native transport says no more of its head. */
const OPENED = { status: 200, contentType: 'text/event-stream', retryAfter: null };

/** What a native source tells, told like any other; one that cannot be made has failed. */
const beginSource = (request, tell) => {
  try {
    return openSource(request, { ...tell, opened: () => tell.head(OPENED) });
  } catch {
    queueMicrotask(() => tell.end('failed'));
    return () => {};
  }
};

/** Of a response, what matters: plain enough to be told to other tabs. */
const withHeads = (tell) => ({
  ...tell,
  head: ({ status, headers }) => tell.head({ status, contentType: headers.get('content-type'), retryAfter: headers.get('retry-after') }),
});

/** The engine's clock: ms of the page's monotonic one. */
export const clock = () => performance.now();

export class Driver {
  #raw;
  #options;
  #headers;
  #wake;
  #window;
  #alarm = new Alarm(() => this.#enter((raw, now) => raw.timeout(now)));
  #cancelFrame = null;
  #places;                     // for connections; undefined until the first
  #seats = new Map();          // slot -> its seat
  #shared = null;              // the streams that other tabs have as well
  #tasks = new Map();          // number -> { close(), send(), text: what was told and the engine has not heard yet }
  #adopted = new Map();        // key -> what opens an adopted run's stream
  #stopWatching = null;
  #isActing = false;
  #isHurried = false;
  #isGoing = false;
  #isOver = false;

  /** `headers`: see openFetch. `wake(isFrame)` flushes and tells. */
  constructor(raw, options, headers, wake) {
    this.#raw = raw;
    this.#options = options;
    this.#headers = headers;
    // What a listener throws must not reach a reader or a timer: that stream would never be read on.
    this.#wake = (isFrame) => callGuarded(wake, isFrame);
    this.#window = new Window(raw);
    const { transports, baseUrl, share } = options;
    if (transports.length > 1) guard(() => raw.learned(...recall(baseUrl, TRANSPORTS), clock()));
  }

  // Made with the first stream that may be shared: until then no other tab is listened to.
  get #tabs() {
    this.#shared ??= SharedStreams.create(this.#options.share, {
      record: (slot) => this.call((raw) => raw.record(slot)),
      retell: (slot) => this.call((raw) => raw.retell(slot)),
      room: (slot) => this.#enter((raw, now) => raw.room(slot, now)),
    });
    return this.#shared;
  }

  /**
   * A call of our own code: what it brings about is begun before this returns, and told by whoever called. `adopt(given)` runs
   * before anything is begun: a page that is called back then finds an owner for whatever a flush of its own has to tell.
   */
  call(fn, adopt) {
    // What a source told before this call counts before it: a close must not lose it.
    this.#feedText();
    const now = clock();
    const given = guard(() => fn(this.#raw, now));
    adopt?.(given);
    this.#wakeSoon(this.#act());
    return given;
  }

  /** A call that begins something: from the first on the page is watched. */
  begin(fn, adopt) {
    if (this.#stopWatching === null) {
      this.#stopWatching = watchPage((signal) => {
        this.#isGoing = isGoodbye(signal);
        this.#enter((raw, now) => {
          // What came before it was heard before it.
          this.#feedText();
          raw.signal(signal, now);
        });
        this.#isGoing = false;
      });
    }
    return this.call((raw, now) => {
      // A signal may have been missed while the page slept.
      for (const signal of weatherNow()) raw.signal(signal, now);
      return fn(raw, now);
    }, adopt);
  }

  /** What changed since the last flush; a frame that was asked for, here or before, is not needed any more. */
  flush() {
    this.#catchUp();
    this.#cancelFrame?.();
    this.#cancelFrame = null;
    return guard(() => this.#raw.flush());
  }

  read(slot) {
    this.#wakeSoon(this.#catchUp());
    return guard(() => this.#raw.read(slot));
  }

  /** Keeps what opens a stream for the run that will ask for it under this key. */
  adopt(key, open) {
    this.#adopted.set(key, open);
  }

  /** A run is forgotten: nobody will ask for its streams any more. */
  disown({ slot, key }) {
    this.#adopted.delete(key);
    this.#forgetSeat(slot);
  }

  #forgetSeat(slot) {
    this.#places?.forget(this.#seats.get(slot));
    this.#seats.delete(slot);
  }

  /** Wakes with the next frame. */
  requestFrame() {
    this.#cancelFrame ??= onFrame(() => this.#fireFrame());
  }

  /** Closes every task, timer and listener. The engine is not asked: it may be dead. */
  close() {
    this.#isOver = true;
    this.#alarm.clear();
    this.#cancelFrame?.();
    this.#stopWatching?.();
    for (const { close } of this.#tasks.values()) close();
    this.#tasks.clear();
    this.#shared?.close();
    for (const slot of [...this.#seats.keys()]) this.#forgetSeat(slot);
  }

  // ---- entries of the page ----

  /** `fn` may give what is due: if it is little, the engine is not asked again. */
  #enter(fn) {
    if (this.#isOver) return;
    const now = clock();
    let due;
    try {
      due = guard(() => fn(this.#raw, now));
      if (due === undefined || due & ~CALM) due = this.#act();
      this.#wakeSoon(due);
    } catch (error) {
      // A trap: everyone has been told. Whoever watches the page for errors hears of it, too.
      report(error);
      return;
    }
    if (due & NOW) this.#wake(false);
  }

  #fireFrame() {
    this.#cancelFrame = null;
    this.#wake(true);
  }

  #tellChunk(task, bytes) {
    const isOver = () => !this.#tasks.has(task);
    this.#window.feed(bytes, (length) => this.#enter((raw, now) => raw.chunk(task, length, now)), isOver);
  }

  // The page's own code runs in here, inside of no call of ours: what it closes is closed at once.
  #tellWire(task, reader, bytes) {
    let said;
    try {
      said = reader.read(bytes);
    } catch (error) {
      report(error);
      return;
    }
    // Half an event is a sign of life, too.
    if (said.text === '') this.#enter((raw, now) => raw.chunk(task, 0, now));
    else this.#tellFrame(task, said.text, true);
    if (said.isOverflown && this.#tasks.has(task)) this.#tellEnd(task, 'overflown');
  }

  #tellHead(task, { status, contentType, retryAfter }) {
    this.#enter((raw, now) => raw.head(task, status, contentType ?? undefined, retryAfter ?? undefined, Date.now(), now));
  }

  #tellEnd(task, how, code) {
    this.#feedText();
    this.#tasks.delete(task);
    this.#enter((raw, now) => raw.end(task, ENDS.indexOf(how), code, now));
  }

  #tellFrame(task, text, isUrgent) {
    const held = this.#tasks.get(task);
    if (!held) return;
    held.text += text;
    if (isUrgent || this.#isHurried) this.#enter(() => this.#feedText());
    else this.requestFrame();
  }

  // ---- orders ----

  /** Carries out what the engine ordered; gives what is due besides. */
  #act() {
    let due = 0;
    // An order that fails at once is an input, and may bring new ones: those are carried out here, not inside.
    if (this.#isActing || this.#isOver) return due;
    this.#isActing = true;
    try {
      for (;;) {
        const next = guard(() => this.#raw.due());
        due |= next;
        this.#isHurried = (next & HURRIED) !== 0;
        if (!(next & ORDERS)) break;
        for (const order of JSON.parse(guard(() => this.#raw.orders()))) {
          this.#carryOut(order);
          // What an order called out to may have closed this client.
          if (this.#isOver) return due;
        }
      }
    } finally {
      this.#isActing = false;
    }
    if (due & DEADLINE) this.#alarm.set(guard(() => this.#raw.deadline()), clock());
    return due;
  }

  #wakeSoon(due) {
    if (due & FRAME && !this.#isOver) this.requestFrame();
  }

  #carryOut({ open, close, to, frame, look, leave, remember: blocked, ...order }) {
    if (to) {
      this.#tasks.get(to)?.send(frame);
    } else if (open) {
      this.#open(open, order);
    } else if (close) {
      const task = this.#tasks.get(close);
      this.#tasks.delete(close);
      task?.close();
    } else if (look) {
      guard(() => this.#raw.signal(onlineNow(), clock()));
    } else if (leave) {
      this.#shared?.leave(leave, order.slot, this.#isGoing);
    } else if (blocked) {
      remember(this.#options.baseUrl, blocked);
    }
  }

  #open(task, { via, path, body, cursor, how, slot, share }) {
    const { baseUrl, streamEndpoint, credentials, websocketAuth, decode } = this.#options;
    const url = baseUrl + (how === 'page' ? '' : streamEndpoint) + path;
    const held = { close: () => {}, text: '' };
    this.#tasks.set(task, held);
    // The page may wrap what is called here, and close this client inside: then nobody would close what was just opened.
    const hold = (opened) => {
      if (this.#isOver) opened.close();
      else Object.assign(held, opened);
    };
    const tell = {
      head: (head) => this.#tellHead(task, head),
      chunk: (bytes) => this.#tellChunk(task, bytes),
      frame: (text, isUrgent) => this.#tellFrame(task, text, isUrgent),
      record: (record) => this.#enter((raw, now) => raw.takeRecord(task, record, now)),
      end: (how, code) => this.#tellEnd(task, how, code),
    };
    if (via === 'websocket') {
      hold(openSocket({ url, auth: websocketAuth }, this.#headers, { ...tell, opened: () => tell.head(OPENED) }));
      return;
    }
    const isReply = via === 'reply';
    const accept = isReply ? 'application/json' : 'text/event-stream';
    // A stop outlives the page that asked for it.
    const request = { url, body, how, cursor, accept, keepalive: isReply && body?.length < SMALL, credentials };
    const begin = (told) => {
      if (via === 'adopted') return openAdopted(this.#adopted.get(path), cursor, withHeads(told));
      if (via === 'eventsource') return beginSource(request, told);
      return openFetch(request, this.#headers, withHeads(told));
    };
    // What is sent waits for nobody.
    const beginHere = isReply || via === 'adopted' || body !== null ? begin : (told) => this.#beginInPlace(slot, begin, told);
    const wire = isReply || !decode ? { tell, close: () => {} } : this.#decode(task, new CustomReader(decode, this.#options.maxEventBytes, cursor), tell);
    const isOwn = body !== null;
    const close = share && this.#tabs
      ? this.#tabs.open(share, { task, slot, cursor, isOwn, isWhole: !this.#options.hasCursors, begin: beginHere, tell: wire.tell })
      : beginHere(wire.tell);
    hold({
      close: () => {
        close();
        wire.close();
      },
    });
  }

  /** Opens a stream as soon as the server has a connection to spare for it. */
  #beginInPlace(slot, begin, tell) {
    const { baseUrl, maxConnections, share } = this.#options;
    this.#places ??= placesAt(baseUrl, maxConnections, share !== null);
    if (this.#places === null) return begin(tell);
    if (!this.#seats.has(slot)) {
      this.#seats.set(slot, {
        room: () => this.#enter((raw, now) => raw.room(slot, now)),
        isSeen: () => !this.#isOver && guard(() => this.#raw.watched(slot)),
      });
    }
    return this.#places.open(this.#seats.get(slot), begin, tell);
  }

  /** What is told of bytes that a page's `decode` reads first. */
  #decode(task, reader, tell) {
    const end = (how) => {
      reader.close();
      tell.end(how);
    };
    return { tell: { ...tell, chunk: (bytes) => this.#tellWire(task, reader, bytes), end }, close: () => reader.close() };
  }

  // Feeds what native sources and sockets have told since the last time. What follows from it is the caller's to act on.
  #feedText() {
    for (const [task, held] of this.#tasks) {
      let { text } = held;
      held.text = '';
      while (text !== '') {
        const { read, written } = encoder.encodeInto(text, this.#window.bytes);
        text = text.slice(read);
        guard(() => this.#raw.chunk(task, written, clock()));
      }
    }
  }

  // Nothing may call out between taking what has changed and applying it: a flush in there would be applied before.
  #catchUp() {
    this.#feedText();
    return this.#act();
  }

}
