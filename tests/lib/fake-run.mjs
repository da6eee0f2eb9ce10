// What a tab's engine and driver are to the streams that tabs share, as small as it can be: a run that wants every event of a
// server's log, once and in order, and asks again whatever happens. What it is told has to be told as to a driver: a head first,
// one end, nothing behind it or behind a close.
import { SharedStreams } from '../../pkg/lib/tabs/shared-streams.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const HEAD = { status: 200, contentType: 'text/event-stream', retryAfter: null };
/** After how long a silence a run gives a connection up, and how often a server that has nothing to say says so. */
const LIVENESS_MS = 20_000;
const HEARTBEAT_MS = 5000;

/** The log of one run. `kind`: { cursors, isWhole, retells, lineEnd, padding }. */
export class Server {
  /** How many events there are. */
  length = 0;
  isOver = false;
  connections = new Set();
  /** Every connection that there ever was. */
  asked = [];
  /** What becomes of the next requests: 'refuse', 'fail', 'crowd', 'stall' or nothing. */
  faults = [];
  #browser;
  #kind;

  constructor(browser, kind) {
    this.#browser = browser;
    this.#kind = kind;
  }

  /** Opens a connection for the tab that runs; see `begin` of SharedStream. */
  connect(tell, { cursor, isOwn, isNative, room }) {
    const { chance, current: tab } = this.#browser;
    const connection = {
      tab,
      tell,
      isOwn,
      isNative,
      cursor,
      source: `network ${this.asked.length}`,
      next: this.#kind.cursors && cursor !== null ? Number(cursor) + 1 : 1,
      piece: chance.pick([1, 4, 9, 30, 30, 500, 500, 5000]) + this.#kind.padding,
    };
    this.asked.push(connection);
    this.connections.add(connection);
    const fault = this.faults.shift();
    if (fault === 'fail') {
      this.#end(connection, 'failed');
    } else if (fault === 'crowd') {
      // The page has no place for it, until it has.
      this.#end(connection, 'crowded');
      tab.post('places', () => room(), chance.between(10, 5000));
    } else if (fault === 'refuse') {
      this.#bring(connection, () => tell.head({ ...HEAD, status: 503 }));
    } else {
      this.#bring(connection, () => tell.head(HEAD));
      this.#beat(connection);
      if (fault === 'stall') this.stall(connection);
      this.#send(connection);
    }
    return () => {
      connection.isClosed = true;
      this.connections.delete(connection);
    };
  }

  /** So many more events. */
  add(count = 1) {
    this.length += count;
    for (const connection of [...this.connections]) this.#send(connection);
  }

  /** The last event. */
  finish() {
    this.isOver = true;
    this.add();
  }

  /** The page needs its place for another. */
  crowd(connection) {
    this.#end(connection, 'crowded');
  }

  /** From now on the connection says nothing more. */
  stall(connection) {
    connection.isStalled = true;
  }

  /** Until now. */
  resume(connection) {
    connection.isStalled = false;
    this.#send(connection);
  }

  /** One more event, of which only a part has come yet. */
  addHalf(connection) {
    const event = this.write(this.length += 1);
    if (connection.isNative) return;
    const length = this.#browser.chance.between(1, event.length - 1);
    connection.next += 1;
    connection.rest = event.slice(length);
    this.#say(connection, event.slice(0, length));
  }

  /** The connection ends somewhere in what it is about to say. */
  cut(connection) {
    const { chance } = this.#browser;
    const next = this.write(connection.next);
    if (!connection.isNative) this.#say(connection, next.slice(0, chance.between(0, next.length - 1)));
    this.#end(connection, chance.pick(['ended', 'failed']));
  }

  /** An event, as it comes. */
  write(number) {
    const { cursors, lineEnd, padding } = this.#kind;
    const name = this.isOver && number === this.length ? 'end' : 'event';
    const lines = [`event: ${name}`, `data: ${number}/${'x'.repeat(padding)}/${number}`, '', ''];
    if (cursors) lines.unshift(`id: ${number}`);
    return lines.join(lineEnd);
  }

  // In pieces that are cut anywhere.
  #send(connection) {
    if (connection.isStalled || !this.connections.has(connection)) return;
    let text = connection.rest ?? '';
    connection.rest = '';
    for (; connection.next <= this.length; connection.next += 1) {
      const event = this.write(connection.next);
      if (connection.isNative) this.#say(connection, event);
      else text += event;
    }
    for (let at = 0; at < text.length; at += connection.piece) this.#say(connection, text.slice(at, at + connection.piece));
  }

  #say(connection, text) {
    this.#bring(connection, () => {
      if (connection.isNative) connection.tell.frame(text, this.#browser.chance.is(20));
      else connection.tell.chunk(encoder.encode(text));
    });
  }

  #beat(connection) {
    this.#browser.keeper.post(connection.source, () => {
      if (!this.connections.has(connection)) return;
      // Not in the middle of an event.
      if (!connection.isStalled && !connection.rest) this.#say(connection, `:${this.#kind.lineEnd}`);
      this.#beat(connection);
    }, HEARTBEAT_MS);
  }

  #end(connection, how) {
    connection.isStalled = true;
    this.#bring(connection, () => {
      connection.isClosed = true;
      this.connections.delete(connection);
      connection.tell.end(how);
    });
  }

  // A connection that is closed brings nothing any more.
  #bring(connection, fn) {
    connection.tab.post(connection.source, () => {
      if (!connection.isClosed) fn();
    });
  }
}

/** Line by line, as slow as can be. */
class Reader {
  #text = '';
  #event = {};

  /** The events that end in `text`: { name, number, id }. */
  * read(text) {
    this.#text += text;
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(this.#text);
      if (!end) {
        // A CR in last place ends the line as well; the LF that may follow is none of its own.
        if (!this.#text.endsWith('\r')) return;
        const line = this.#text.slice(0, -1);
        this.#text = '';
        this.isHalf = true;
        yield* this.#line(line);
        return;
      }
      const line = this.#text.slice(0, end.index);
      this.#text = this.#text.slice(end.index + end[0].length);
      const isRest = this.isHalf && line === '' && end[0] === '\n';
      this.isHalf = false;
      if (!isRest) yield* this.#line(line);
    }
  }

  * #line(line) {
    if (line !== '') {
      const [, name, value] = /^(id|event|data|): ?(.*)$/.exec(line) ?? [null, 'broken', line];
      this.#event[name] = value;
      return;
    }
    const { event: name, data, id, broken } = this.#event;
    this.#event = {};
    if (broken !== undefined) throw new Error(`half a line: ${broken}`);
    if (data === undefined) return;
    const [, number, again] = /^(\d+)\/x*\/(\d+)$/.exec(data) ?? [];
    if (number === undefined || number !== again) throw new Error(`half an event: ${data}`);
    yield { name, number: Number(number), id };
  }
}

/**
 * One tab's client with its one run. `isOwn`: it begins with a send; `isNative`: it is told frames; `restless`: it asks again,
 * or does what `then` says, in the middle of so many of a hundred events; `isCalm`: nobody hurries it; `on`: when this is told or begun, it does so once.
 */
export class Run {
  /** The events that it has, 1 to `have`, and where its connection is among them. */
  have = 0;
  at = 0;
  isOver = false;
  /** Whether it has been told that there is no room. */
  isParked = false;
  options;
  heads = [];
  ends = [];
  #world;
  #tab;
  #shared;
  #task = 0;
  #last = 0;
  #head = null;
  #reader = null;
  #closers = new Map();
  #orders = [];
  #isActing = false;
  #isGone = false;
  #stale;
  #text = '';
  #timers = {};
  #attempt = 0;
  #lastHeard = 0;

  constructor(world, tab, options = {}) {
    this.#world = world;
    this.#tab = tab;
    this.options = options;
    this.#shared = SharedStreams.create('scope', { record: () => this.#record(), retell: () => this.#retell(), room: () => this.#room() });
    this.#order(() => this.#open());
  }

  // ---- what a page does ----

  /** The page needs the run no more, or goes to sleep. */
  leave() {
    this.isOver = true;
    this.#isGone = true;
    this.#give();
    this.#order(() => this.#leave());
    this.#shared.close();
  }

  /** Gives its connection up and asks again later. */
  pause(ms = 10_000) {
    if (this.isOver) return;
    this.#give();
    this.#backOff(ms);
  }

  /** The page has a place again. */
  makeRoom() {
    this.#room();
  }

  /** Gives its connection up and asks again at once. */
  retry() {
    if (this.isOver) return;
    this.#give();
    this.#order(() => this.#open());
  }

  // ---- what the engine is told ----

  #tell(task) {
    const told = (name, fn) => (...args) => {
      if (!this.#closers.has(task)) this.#fail(`${name} of a task that is over`);
      if (this.#task !== task) return;
      this.#enter(() => fn(...args));
      // Below all this there is a page that may do what it likes.
      this.#callPage(name);
    };
    return {
      head: told('head', (head) => this.#takeHead(head)),
      chunk: told('chunk', (bytes) => this.#feed(decoder.decode(bytes))),
      frame: told('frame', (text, isUrgent) => {
        this.#text += text;
        if (isUrgent) this.#feedText();
        else this.#after('frame', 16, () => this.#feedText());
      }),
      record: told('record', (record) => this.#takeRecord(record)),
      end: told('end', (how) => {
        this.#feedText();
        this.#stale = this.#closers.get(task);
        this.#closers.delete(task);
        if (this.#task === task) this.#takeEnd(how);
      }),
    };
  }

  #callPage(name) {
    const { on, then } = this.options;
    if (on !== name || this.isOver) return;
    this.options = {};
    this[then]();
  }

  #takeHead(head) {
    this.heads.push(head.status);
    if (this.#head !== null) this.#fail('a second head');
    this.#head = head;
    this.#heard();
    if (head.status === 200) return;
    this.#give();
    this.#backOff();
  }

  #feed(text) {
    if (this.#head === null) this.#fail('a chunk without a head');
    this.#heard();
    const task = this.#task;
    for (const { name, number } of this.#reader.read(text)) {
      this.#apply(name, number);
      if (this.#task !== task) return;
    }
  }

  #apply(name, number) {
    if (number > this.at + 1) this.#fail(`a gap: ${number} after ${this.at}`);
    if (number <= this.at) return;
    this.at = number;
    this.#attempt = 0;
    if (number > this.have) {
      if (number !== this.have + 1) this.#fail(`event ${number} behind ${this.have}`);
      this.have = number;
      // As a watchdog or a page may, in the middle of a chunk.
      if (this.options.restless && this.#world.chance.is(this.options.restless)) this[this.options.then ?? 'retry']();
    }
    if (name === 'end' && !this.isOver) {
      this.isOver = true;
      this.#give();
      this.#order(() => this.#leave());
    }
  }

  #takeRecord(record) {
    const { cursor, have } = JSON.parse(record);
    if (Number(cursor) !== have) this.#fail('a record without a cursor');
    this.at = have;
    this.have = Math.max(this.have, have);
  }

  #takeEnd(how) {
    this.ends.push(how);
    const { isOwn } = this;
    this.#drop();
    if (isOwn && how === 'moved') this.#fail('a message that was sent is nobody else\'s');
    if (how === 'moved') this.#order(() => this.#open());
    else if (how === 'crowded') this.isParked = true;
    else this.#backOff();
  }

  #record() {
    this.#feedText();
    if (this.isOver) return '';
    this.#act();
    return JSON.stringify({ cursor: this.#cursor, have: this.at });
  }

  // Where there are no cursors, all that it has may be told as a server would.
  #retell() {
    if (this.isOver || !this.#world.kind.retells) return '';
    return Array.from({ length: this.at }, (_, i) => this.#world.server.write(i + 1)).join('');
  }

  #room() {
    this.#enter(() => {
      if (this.#task !== 0 || this.isOver || this.options.isCalm || !(this.isParked || this.#timers.backOff)) return;
      this.#clear('backOff');
      this.#order(() => this.#open());
    });
  }

  // ---- what it does ----

  get #cursor() {
    return this.#world.kind.cursors && this.at > 0 ? String(this.at) : null;
  }

  #open() {
    if (this.#task !== 0 || this.isOver) return;
    const { isNative } = this.options;
    // What has no cursors is told from its beginning.
    if (!this.#world.kind.cursors) this.at = 0;
    this.isParked = false;
    this.isOwn = this.options.isOwn === true && this.#last === 0;
    this.#task = this.#last += 1;
    const task = this.#task;
    [this.#head, this.#reader, this.#text] = [null, new Reader(), ''];
    this.#heard();
    const { isOwn } = this;
    const cursor = this.#cursor;
    this.#closers.set(task, () => {});
    const close = this.#shared.open('run', {
      task,
      slot: 1,
      cursor,
      isOwn,
      isWhole: this.#world.kind.isWhole,
      begin: (tell) => {
        const close = this.#world.server.connect(tell, { cursor, isOwn, isNative, room: () => this.#room() });
        this.#callPage('begin');
        return close;
      },
      tell: this.#tell(task),
    });
    // To close what is over closes nothing else.
    this.#stale?.();
    if (this.#closers.has(task)) this.#closers.set(task, close);
    // Nobody would close what was just opened.
    else if (this.#isGone) close();
  }

  #leave() {
    this.#shared.leave('run', 1);
    this.#world.browser.isUnsettled = true;
  }

  /** The task is closed: as an order, behind what goes on now. */
  #give() {
    const task = this.#task;
    this.#drop();
    this.#order(() => {
      const close = this.#closers.get(task);
      this.#closers.delete(task);
      close?.();
    });
  }

  #drop() {
    this.#task = 0;
    for (const name of Object.keys(this.#timers)) this.#clear(name);
  }

  #backOff(ms = this.#world.chance.next() * Math.min(8000, 400 * 2 ** this.#attempt)) {
    this.#attempt += 1;
    this.#after('backOff', ms, () => this.#order(() => this.#open()));
  }

  #heard() {
    this.#lastHeard = performance.now();
    if (!this.#timers.liveness) this.#watch(LIVENESS_MS);
  }

  #watch(ms) {
    this.#after('liveness', ms, () => {
      const silence = performance.now() - this.#lastHeard;
      if (silence < LIVENESS_MS) {
        this.#watch(LIVENESS_MS - silence);
        return;
      }
      this.#give();
      this.#backOff();
    });
  }

  #feedText() {
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#feed(text);
  }

  #after(name, ms, fn) {
    if (this.isOver || (name === 'frame' && this.#timers.frame)) return;
    this.#clear(name);
    this.#timers[name] = setTimeout(() => {
      delete this.#timers[name];
      this.#enter(fn);
    }, ms);
  }

  #clear(name) {
    clearTimeout(this.#timers[name]);
    delete this.#timers[name];
  }

  #enter(fn) {
    fn();
    this.#act();
  }

  #order(fn) {
    this.#orders.push(fn);
    this.#act();
  }

  // An order may tell at once: what follows from that is done here, not inside.
  #act() {
    if (this.#isActing) return;
    this.#isActing = true;
    try {
      while (this.#orders.length > 0) this.#orders.shift()();
    } finally {
      this.#isActing = false;
    }
  }

  #fail(what) {
    this.#world.failures.push(`${this.#tab.name}: ${what}`);
    throw new Error(what);
  }
}
