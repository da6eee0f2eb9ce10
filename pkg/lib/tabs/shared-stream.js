// One stream that several tabs want. The tab that has its lock holds the connection and says what comes over it; the others feed
// that to runs of their own, as if it were theirs, and wait for the lock. When the holder is gone the lock is the next one's, which
// goes on from the cursor that it has itself.
//
// A holder that is frozen keeps its lock and says nothing: it is asked whether it lives, and if not, the lock is taken from it.
import { Said, join } from './said.js';

/** How long a holder may take to answer, in ms. */
const PATIENCE_MS = 3000;
/** So much later, in ms, and at most so much more, by chance: of all that miss it, one is the first to take its lock. */
const [RESPITE_MS, SPREAD_MS] = [100, 900];
/** After how long a silence it is asked whether it lives, in ms. */
const SILENCE_MS = 5000;

// How many bytes of a connection are kept for those who join in: where there is no cursor, nothing else can be handed to them.
const limitOf = ({ isWhole }) => (isWhole ? 4 << 20 : 1 << 16);

const encoder = new TextEncoder();
// How a record begins from which another tab can go on.
const HAS_CURSOR = '{"cursor":"';
/** What is said to a holder. All else is said by one. */
const TO_A_HOLDER = ['ask', 'left', 'ping'];

let last = 0;

export class SharedStream {
  #from;
  #lock;
  #post;
  #mark;
  #echo;
  #host;
  #wanted = null;             // what our own run has asked for: { task, slot, cursor, isOwn, begin, tell, close }
  #slot = 0;

  // The lock.
  #queue = null;              // aborts our waiting for it
  #release = null;            // gives it back
  #isHolder = false;          // has it, and has heard all that the holder before has said

  // With a connection of our own.
  #live = null;               // { n, after, head, count, said }
  #followers = new Set();

  // As a follower.
  #riding = null;             // what we are fed: { n, next }
  #heardAt = 0;
  #timer;

  /**
   * `from`: this tab's name. `lock`: the lock's. `post(kind, message)`, `mark()`, `echo(fn)`: see Channel. `host`: the engine's side,
   * { record(slot), retell(slot), room(slot) }.
   */
  constructor({ from, lock, post, mark, echo, host }) {
    this.#from = from;
    this.#lock = lock;
    this.#post = post;
    this.#mark = mark;
    this.#echo = echo;
    this.#host = host;
  }

  get slot() {
    return this.#slot;
  }

  isWantedBesides(slot) {
    return this.#wanted !== null && this.#slot !== slot;
  }

  /**
   * Our run wants the stream after `cursor`. `begin(tell)` opens a connection and gives what closes it. `isOwn`: it must be ours,
   * because it sends. `isWhole`: who joins in needs all of it. `tell`: { head, chunk, frame, record, end }.
   */
  open(wanted) {
    this.#wanted = { ...wanted, close: null };
    this.#slot = wanted.slot;
    // First of all: what is begun may call back, and leave.
    if (this.#queue === null) this.#wait(false);
    if (this.#isHolder || wanted.isOwn) this.#begin();
    else this.#ask();
  }

  /** Our run does not want what it asked for under this task any more; it may ask again. */
  close(task) {
    if (this.#wanted?.task === task) this.#drop();
  }

  /** Our run is over, or the page goes to sleep (`isGoing`: it has no time to wait for anything). */
  leave(isGoing = false) {
    this.#drop();
    if (!this.#isHolder) this.#post('left', {});
    const [queue, release] = [this.#queue, this.#release];
    [this.#queue, this.#release, this.#isHolder] = [null, null, false];
    if (!release) {
      queue?.abort();
      return;
    }
    // A lock and a message go different ways: whoever has it next must have heard our last words, which nobody may say again.
    if (this.#followers.size > 0 && !isGoing) this.#echo(release);
    else release();
  }

  hear(message) {
    const { kind } = message;
    if (kind === 'mark') {
      this.#takeOver();
    } else if (TO_A_HOLDER.includes(kind)) {
      if (this.#isHolder) this.#serve(message);
    } else if (!this.#isHolder && !this.#live) {
      // What has a connection of its own is nobody's follower.
      this.#follow(message);
    }
  }

  // ---- the lock ----

  #wait(steal) {
    const queue = new AbortController();
    this.#queue = queue;
    const { signal } = queue;
    const hold = () => {
      if (signal.aborted) return undefined;
      return new Promise((resolve) => {
        this.#release = resolve;
        // What the holder before us has said last counts, where we are fed by it: it is ours to go on from.
        if (this.#riding) this.#mark();
        else this.#takeOver();
      });
    };
    // A lock that is taken cannot be waited for as well.
    navigator.locks.request(this.#lock, steal ? { steal } : { signal }, hold).catch(() => {
      if (this.#queue !== queue) return;
      this.#queue = null;
      if (this.#release) this.#handleLockLost();
      // Where locks are refused, each tab is on its own.
      else if (this.#wanted && !this.#live && !this.#riding) this.#begin();
    });
  }

  #takeOver() {
    if (!this.#release) return;
    this.#isHolder = true;
    if (this.#live) this.#announce();
    else if (this.#riding) this.#move();
    else if (this.#wanted) this.#begin();
    else this.#putOff();
  }

  // Another tab has taken it from us: we were asleep.
  #handleLockLost() {
    // Who has asked us meanwhile is to ask again.
    if (this.#live) this.#say('end', { n: this.#live.n, how: 'moved' });
    this.#isHolder = false;
    this.#release = null;
    this.#followers.clear();
    // What we have sent is still answered to us alone.
    if (this.#wanted && !this.#wanted.isOwn) this.#move();
  }

  // Our engine asks again, with the cursor of what it holds by now.
  #move() {
    const { tell } = this.#wanted;
    this.#drop();
    tell.end('moved');
  }

  #drop() {
    clearTimeout(this.#timer);
    const wanted = this.#wanted;
    this.#wanted = null;
    this.#live = null;
    this.#riding = null;
    wanted?.close?.();
  }

  // ---- with a connection of our own ----

  #begin() {
    clearTimeout(this.#timer);
    const wanted = this.#wanted;
    const { cursor, tell } = wanted;
    const live = { n: `${this.#from}.${last += 1}`, after: cursor, head: null, count: 0, said: new Said(limitOf(wanted)) };
    this.#live = live;
    if (this.#isHolder) this.#announce();
    const close = wanted.begin({
      head: (head) => {
        live.head = head;
        this.#say('head', { n: live.n, head });
        tell.head(head);
      },
      chunk: (bytes) => {
        this.#pass(live, bytes);
        tell.chunk(bytes);
      },
      frame: (text, isUrgent) => {
        this.#pass(live, encoder.encode(text));
        tell.frame(text, isUrgent);
      },
      end: (how) => {
        this.#say('end', { n: live.n, how });
        this.#live = null;
        this.#wanted = null;
        tell.end(how);
      },
    });
    // What was called may have closed what it was to begin.
    if (this.#wanted === wanted) wanted.close = close;
    else close();
  }

  // The others hear of it first: what our own run makes of it may end the connection.
  #pass(live, bytes) {
    live.said.add(bytes);
    this.#say('chunk', { n: live.n, i: live.count, bytes });
    live.count += 1;
  }

  // Who is fed by us has asked us, as the holder.
  #say(kind, message) {
    if (this.#followers.size > 0) this.#post(kind, message);
  }

  // ---- as the holder ----

  #announce() {
    this.#post('start', { n: this.#live.n });
  }

  #serve({ kind, from, cursor }) {
    if (kind === 'left') this.#followers.delete(from);
    else this.#followers.add(from);
    if (kind === 'ask') this.#answer(from, cursor);
    else if (kind === 'ping') this.#post('pong', { to: from, n: this.#live?.n ?? null });
  }

  #answer(to, cursor) {
    const live = this.#live;
    if (!live) {
      this.#putOff();
      return;
    }
    const { n, after, said } = live;
    // What it would have heard itself says most with least; else what our run holds by now, as it is or told anew.
    let all = after === cursor ? said.all : null;
    const record = all ? '' : this.#host.record(this.#slot);
    const isRecord = record.startsWith(HAS_CURSOR);
    const told = all || isRecord ? '' : this.#host.retell(this.#slot);
    // What was due is done in there: by now it may be another connection, or none.
    if (this.#live !== live) {
      if (this.#isHolder) this.#answer(to, cursor);
      return;
    }
    const here = { to, cursor, n, i: live.count, head: live.head, record: '' };
    if (isRecord) this.#post('here', { ...here, record, tail: said.tail });
    else if (told !== '') this.#post('here', { ...here, tail: join([encoder.encode(told), said.tail]) });
    else if (all ??= said.all) this.#post('here', { ...here, tail: all });
    else this.#post('alone', { to });
  }

  // Somebody is in a hurry whose page is perhaps looked at.
  #putOff() {
    this.#post('wait', {});
    this.#host.room(this.#slot);
  }

  // ---- as a follower ----

  #ask() {
    this.#post('ask', { cursor: this.#wanted.cursor });
    this.#expect();
  }

  #follow(message) {
    const { kind, n } = message;
    if (this.#riding && this.#riding.n !== n) {
      // Its connection is another one by now, or none. What else is said of another one comes from who has lost its lock.
      if (kind === 'start' || kind === 'pong') this.#move();
      return;
    }
    this.#heardAt = performance.now();
    if (this.#riding) this.#take(message);
    else if (this.#wanted) this.#settle(message);
    else if (kind === 'start') this.#host.room(this.#slot);
  }

  // We are fed.
  #take({ kind, head, i, bytes, how }) {
    const riding = this.#riding;
    const { tell } = this.#wanted;
    if (kind === 'head') {
      tell.head(head);
    } else if (kind === 'chunk' && i === riding.next) {
      riding.next += 1;
      tell.chunk(bytes);
    } else if (kind === 'chunk' && i > riding.next) {
      // Something was not heard: as after any loss, the rest is asked for.
      this.#move();
    } else if (kind === 'end') {
      this.#drop();
      tell.end(how);
    }
  }

  // We wait.
  #settle(message) {
    const { kind } = message;
    if (kind === 'start') this.#ask();
    // Not what an earlier question of ours is answered, from where we are not any more.
    else if (kind === 'here' && message.cursor === this.#wanted.cursor) this.#ride(message);
    else if (kind === 'alone') this.#begin();
  }

  #ride({ n, i, head, record, tail }) {
    const { tell } = this.#wanted;
    const riding = { n, next: i };
    this.#riding = riding;
    // Whatever is told may make our run ask for another stream.
    if (head) tell.head(head);
    if (record !== '' && this.#riding === riding) tell.record(record);
    if (tail.length > 0 && this.#riding === riding) tell.chunk(tail);
  }

  // ---- whether the holder lives ----

  // It has been asked, and has this long to say something.
  #expect() {
    const askedAt = performance.now();
    const check = (next) => () => {
      if (this.#heardAt >= askedAt) this.#watch();
      else next();
    };
    // In two steps: if it was us who slept, what was said meanwhile is heard between them.
    this.#after(PATIENCE_MS, check(() => {
      this.#after(RESPITE_MS + Math.random() * SPREAD_MS, check(() => this.#steal()));
    }));
  }

  // It is asked if it has said nothing for so long.
  #watch() {
    const left = SILENCE_MS - (performance.now() - this.#heardAt);
    if (left > 0) {
      this.#after(left, () => this.#watch());
    } else if (this.#riding) {
      this.#post('ping', {});
      this.#expect();
    } else {
      this.#ask();
    }
  }

  #steal() {
    this.#queue?.abort();
    this.#wait(true);
  }

  #after(ms, fn) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(fn, ms);
  }
}
