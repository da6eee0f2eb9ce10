// The chats of this tab. They live in memory; sessionStorage keeps them across a reload, and a run that was live then is
// picked up again from the server, not from here.
import { createRequestId } from '/pkg/index.js';
import { Turn } from './turn.js';

const KEY = 'steadystream-demo.sessions';
const TITLE = 60;

export class Session {
  turns = [];
  /** Something ended here while the reader was elsewhere. */
  hasNews = false;
  /** How that ended, where this tab has not seen it. */
  ended = null;
  /** What it is called until something is asked in it here. */
  name = 'New chat';

  constructor(id) {
    this.id = id;
  }

  get title() {
    const question = this.turns[0]?.question.trim().replace(/\s+/g, ' ') ?? '';
    return question.length > TITLE ? `${question.slice(0, TITLE).trimEnd()}…` : question || this.name;
  }

  /** The turn that matters now: the live one (an old one, if it was retried), or else the last. */
  get latest() {
    return this.turns.findLast((turn) => turn.isLive) ?? this.turns.at(-1) ?? null;
  }
}

export class Sessions {
  #onTurn;

  list = [];
  current = null;

  /** `onTurn(session, turn, before)` hears of every new snapshot of every turn. */
  constructor(onTurn) {
    this.#onTurn = onTurn;
    this.#restore();
    if (this.list.length === 0) this.add();
    this.current ??= this.list[0];
    this.current.latest?.see(true);
  }

  add() {
    const session = new Session(createRequestId());
    this.list.unshift(session);
    return session;
  }

  /** A chat that only the server knew. */
  adopt(id, title) {
    const session = new Session(id);
    session.name = title;
    this.list.unshift(session);
    return session;
  }

  /** Makes `session` the one on the screen. */
  enter(session) {
    for (const turn of this.current.turns) turn.see(false);
    this.current = session;
    session.hasNews = false;
    session.ended = null;
    for (const turn of session.turns) turn.see(true);
    this.save();
  }

  /** A new turn at the end of `session`; `via`: the id of its ladder. */
  ask(session, question, via) {
    const turn = new Turn({ question, requestId: createRequestId(), via }, (...change) => this.#onTurn(session, ...change));
    turn.see(session === this.current);
    session.turns.push(turn);
    this.save();
    return turn;
  }

  save() {
    try {
      const sessions = this.list.map(({ id, turns, hasNews, ended, name }) => ({ id, hasNews, ended, name, turns }));
      sessionStorage.setItem(KEY, JSON.stringify({ current: this.current.id, sessions }));
    } catch {
      // Full or denied: the page works on, and a reload will forget.
    }
  }

  #restore() {
    let saved;
    try {
      saved = JSON.parse(sessionStorage.getItem(KEY));
    } catch {}
    for (const { id, hasNews, ended, name, turns } of saved?.sessions ?? []) {
      const session = new Session(id);
      session.hasNews = hasNews;
      session.ended = ended ?? null;
      if (name) session.name = name;
      session.turns = turns.map((turn) => Turn.fromJSON(turn, (...change) => this.#onTurn(session, ...change)));
      this.list.push(session);
      if (id === saved.current) this.current = session;
    }
  }
}
