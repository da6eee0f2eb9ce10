// From events to a transcript, for the contestants that have none of their own: as an expert writes it by hand for speed.
// One `+=` per delta on a string that no object holds; objects are made when somebody looks.

export class Fold {
  status = 'pending';
  cursor = null;
  usage = null;
  #parts = [];
  #blocks = [];
  #finished = '';        // the text of all finished blocks
  #text = '';            // the open block
  #textAt = -1;
  #seq = 0;
  #reasoning = '';
  #reasoningAt = -1;
  #isTextNew = false;
  #isReasoningNew = false;
  #running = new Map();  // call id -> index of its part

  apply(type, payload) {
    switch (type) {
      case 'content':
      case 'chunk': {
        const { content } = payload;
        if (!content) return;
        if (this.#reasoningAt >= 0) this.#closeReasoning();
        if (this.#textAt < 0) this.#openText();
        this.#text += content;
        this.#isTextNew = true;
        return;
      }
      case 'thinking': {
        const { content } = payload;
        if (!content) return;
        if (this.#reasoningAt < 0) this.#reasoningAt = this.#parts.push(null) - 1;
        this.#reasoning += content;
        this.#isReasoningNew = true;
        return;
      }
      case 'text_block_end': return this.#closeText();
      case 'tool_start': return this.#startTool(payload.tool);
      case 'tool_end': return this.#endTool(payload.tool);
      case 'usage': this.usage = payload.usage; return;
      case 'done': return this.#end('completed');
      case 'cancelled': return this.#end('cancelled');
      case 'error':
      case 'failed': return this.#end('failed');
    }
  }

  /** An immutable view; parts that did not change since the last one are the same objects. */
  snapshot() {
    if (this.#isTextNew) this.#publishText('streaming');
    if (this.#isReasoningNew) this.#publishReasoning('streaming');
    return {
      status: this.status,
      text: this.#finished + this.#text,
      parts: this.#parts.slice(),
      blocks: this.#blocks.slice(),
      usage: this.usage,
      cursor: this.cursor,
    };
  }

  #openText() {
    this.#textAt = this.#parts.push(null) - 1;
    this.#seq = this.#blocks.length;
  }

  #publishText(state) {
    const seq = this.#seq;
    this.#blocks[seq] = this.#parts[this.#textAt] = { type: 'text', seq, text: this.#text, state };
    this.#isTextNew = false;
  }

  #publishReasoning(state) {
    this.#parts[this.#reasoningAt] = { type: 'reasoning', text: this.#reasoning, state };
    this.#isReasoningNew = false;
  }

  #closeText() {
    if (this.#textAt < 0) return;
    this.#publishText('done');
    this.#finished += this.#text;
    this.#text = '';
    this.#textAt = -1;
  }

  #closeReasoning() {
    if (this.#reasoningAt < 0) return;
    this.#publishReasoning('done');
    this.#reasoning = '';
    this.#reasoningAt = -1;
  }

  #startTool({ callId = null, name = null, agentName = null, arguments: args = null }) {
    this.#closeText();
    this.#closeReasoning();
    const part = { type: 'tool', callId, name, agentName, arguments: args, result: null, error: null, durationMs: null, state: 'running' };
    this.#running.set(callId, this.#parts.push(part) - 1);
  }

  #endTool(tool) {
    if (!this.#running.has(tool.callId)) this.#startTool(tool);
    const at = this.#running.get(tool.callId);
    this.#running.delete(tool.callId);
    this.#parts[at] = { ...this.#parts[at], ...tool, state: tool.error ? 'failed' : 'done' };
  }

  #end(status) {
    this.#closeText();
    this.#closeReasoning();
    for (const at of this.#running.values()) this.#parts[at] = { ...this.#parts[at], state: status === 'completed' ? 'done' : 'failed' };
    this.#running.clear();
    this.status = status;
  }
}
