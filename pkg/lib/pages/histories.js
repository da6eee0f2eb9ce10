// A client's pages: who asks for what is there gets that, so that no two ask the server, and what the client itself does is in them.
import { History, Pages } from './pages.js';
import { parsePages } from './options.js';

// So many that nobody watches are kept: the chats between which somebody goes to and fro.
const MOST_IDLE = 20;
const SESSIONS = Symbol('sessions');

const isName = (name) => typeof name === 'string' && name !== '';

// A run and the messages of its send share these names, each under its own role.
const namesOfMessage = (idOf) => (message) => {
  const { role, request_id: requestId = message.requestId, pending_message_id: runId = message.runId } = message;
  const names = isName(requestId) && isName(role) ? [`${role}:${requestId}`] : [];
  if (role !== 'user' && isName(runId)) names.push(runId);
  return [...names, idOf(message)];
};

const namesOfRun = ({ requestId, runId, metadata }) => [
  requestId && `assistant:${requestId}`, runId, metadata?.message_id,
].filter(isName);

/** The runs of one session, as what is at the newest end of its messages. */
class Runs {
  #held = new Map();        // by what names the run: one that is retried is the same message
  #listeners = new Set();

  note(run, stream) {
    const { requestId, runId } = run.store.peek();
    for (const [other, held] of this.#held) if (held.run === run || (runId && held.run.store.peek().runId === runId)) this.#held.delete(other);
    this.#held.set(requestId ?? stream, { run, stream });
    this.tell();
  }

  tell() {
    for (const listener of this.#listeners) listener();
  }

  get() {
    return [...this.#held].map(([id, { run, stream }]) => ({
      names: namesOfRun(run.store.peek()),
      turn: run.store.peek().requestId ?? undefined,
      run: stream,
      forget: () => {
        if (!run.isLive) this.#held.delete(id);
      },
    }));
  }

  subscribe(fn) {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }
}

export class Histories {
  #ask;
  #protocol;
  #onWatch;
  #sources = [];            // session -> what is overlaid there besides its runs
  #all = new Map();         // session, or SESSIONS -> { history, pages, runs }

  /** `protocol`: its name. `ask(path, signal)`: a promise of the JSON that is there. `onWatch()`: somebody looks at one. */
  constructor(protocol, ask, onWatch) {
    this.#protocol = protocol;
    this.#onWatch = onWatch;
    this.#ask = ask;
  }

  /** `running`: the session's runs that are on their way, [run, stream]. */
  messages(sessionId, options, running) {
    return this.#get(sessionId, 'messages', options, (parsed) => ({ ...parsed, namesOf: namesOfMessage(parsed.idOf) }), (history) => {
      const runs = new Runs();
      for (const sourceOf of this.#sources) history.overlay(sourceOf(sessionId));
      history.overlay(runs);
      for (const [run, stream] of running()) runs.note(run, stream);
      return runs;
    });
  }

  sessions(options) {
    return this.#get(SESSIONS, 'sessions', options, (parsed) => ({ ...parsed, namesOf: (session) => [parsed.idOf(session)] }));
  }

  /** Another source of what is at the newest end of each session's messages: `sourceOf(sessionId)`, see Live. */
  overlay(sourceOf) {
    this.#sources.push(sourceOf);
    for (const [sessionId, { history }] of this.#all) if (sessionId !== SESSIONS) history.overlay(sourceOf(sessionId));
  }

  /** A run begins, or goes on under another stream. */
  noteRun(run, stream) {
    this.#all.get(run.sessionId)?.runs.note(run, stream);
  }

  /** A run of this session has ended: the server's list has its final state. */
  noteEnd(sessionId) {
    const found = this.#all.get(sessionId);
    found?.runs.tell();
    found?.history.update();
  }

  /** `running(sessionId)`: the run that goes on there as somebody else has it, or null. Gives those that did and do not any more. */
  compare(running) {
    const ended = [];
    for (const [sessionId, found] of this.#all) {
      const before = found.running ?? null;
      found.running = running(sessionId);
      if (before !== null && before !== found.running) ended.push({ sessionId, runId: before });
    }
    return ended;
  }

  /** Something is sent in a session: it is the newest of all. */
  noteSend(sessionId) {
    const found = this.#all.get(SESSIONS);
    found?.history.raise(found.make(sessionId));
  }

  close() {
    for (const { history } of this.#all.values()) history.close();
    this.#all.clear();
  }

  #get(key, what, options = {}, complete, begin) {
    const there = this.#all.get(key);
    if (there && !there.history.isOver) return there.pages;
    const sessionId = key === SESSIONS ? '' : key;
    const parsed = complete(parsePages(options, { what, protocol: this.#protocol, sessionId, ask: this.#ask }));
    const history = new History({ ...parsed, onWatch: this.#onWatch });
    const made = { history, pages: new Pages(history), make: (id) => ({ [parsed.idName]: id }) };
    made.runs = begin?.(history);
    this.#all.delete(key);
    this.#all.set(key, made);
    this.#closeIdle();
    return made.pages;
  }

  // The oldest first, and not the one that is just being asked for.
  #closeIdle() {
    const idle = [...this.#all].filter(([, { history }]) => history.isIdle);
    for (const [key, { history }] of idle.slice(0, Math.max(0, idle.length - MOST_IDLE))) {
      this.#all.delete(key);
      history.close();
    }
  }
}
