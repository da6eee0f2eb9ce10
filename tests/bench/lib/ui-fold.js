// From the chunks of a UI message stream to a transcript, as an expert writes it by hand for speed: see fold.js. It knows the
// chunks that the wire here has, and checks none of them.
import { PartialJson } from './partial.js';

const streamingTool = (part, partial) => {
  let value;
  let isRead = false;
  return {
    ...part,
    rawInput: partial.raw,
    get input() {
      if (!isRead) value = partial.read();
      isRead = true;
      return value;
    },
  };
};

export class UiFold {
  status = 'pending';
  #parts = [];
  #finished = '';      // the text of all parts that are done
  #open = new Map();   // id -> { at, type, text, isNew } of a text or reasoning part that grows
  #calls = new Map();  // call id -> { at, partial, isNew }

  apply(chunk) {
    switch (chunk.type) {
      case 'text-delta':
      case 'reasoning-delta': {
        const open = this.#open.get(chunk.id);
        open.text += chunk.delta;
        open.isNew = true;
        return;
      }
      case 'tool-input-delta': {
        const call = this.#calls.get(chunk.toolCallId);
        call.partial.push(chunk.inputTextDelta);
        call.isNew = true;
        return;
      }
      case 'start': this.status = 'streaming'; return;
      case 'start-step': this.#parts.push({ type: 'step-start' }); return;
      case 'text-start': return this.#start('text', chunk.id);
      case 'reasoning-start': return this.#start('reasoning', chunk.id);
      case 'text-end':
      case 'reasoning-end': return this.#end(chunk.id);
      case 'tool-input-start': {
        const { toolCallId, toolName } = chunk;
        const part = { type: `tool-${toolName}`, toolCallId, state: 'input-streaming', input: undefined };
        this.#calls.set(toolCallId, { at: this.#parts.push(part) - 1, partial: new PartialJson(), isNew: false });
        return;
      }
      case 'tool-input-available': return this.#set(chunk.toolCallId, { state: 'input-available', input: chunk.input });
      case 'tool-output-available': return this.#set(chunk.toolCallId, { state: 'output-available', output: chunk.output });
      case 'tool-output-error': return this.#set(chunk.toolCallId, { state: 'output-error', errorText: chunk.errorText });
      case 'finish': this.status = 'completed';
    }
  }

  /** An immutable view; parts that did not change since the last one are the same objects. */
  snapshot() {
    let text = this.#finished;
    for (const open of this.#open.values()) {
      if (open.isNew) this.#publish(open, 'streaming');
      if (open.type === 'text') text += open.text;
    }
    for (const call of this.#calls.values()) {
      if (!call.isNew) continue;
      this.#parts[call.at] = streamingTool(this.#parts[call.at], call.partial);
      call.isNew = false;
    }
    return { status: this.status, text, parts: this.#parts.slice() };
  }

  #start(type, id) {
    this.#open.set(id, { at: this.#parts.push({ type, text: '', state: 'streaming' }) - 1, type, text: '', isNew: false });
  }

  #publish(open, state) {
    this.#parts[open.at] = { type: open.type, text: open.text, state };
    open.isNew = false;
  }

  #end(id) {
    const open = this.#open.get(id);
    this.#publish(open, 'done');
    if (open.type === 'text') this.#finished += open.text;
    this.#open.delete(id);
  }

  #set(callId, members) {
    const call = this.#calls.get(callId);
    const { type, toolCallId, input } = this.#parts[call.at];
    this.#parts[call.at] = { type, toolCallId, input, ...members };
    call.isNew = false;
  }
}
