// A protocol that nobody speaks but the words server, and the one function that a page needs for it.

/** For the page, too: it uses nothing but its argument. */
export const decode = ({ event, data }) => {
  const lines = data.split('\n');
  switch (event) {
    case 'message': return { type: 'content', content: lines.map((line) => line.slice(1)).join('\n') };
    case 'hm': return { type: 'thinking', content: data };
    case 'call': {
      const [callId, name, result] = lines;
      return [
        { type: 'tool_start', tool: { callId, name, arguments: '{}' } },
        { type: 'tool_end', tool: { callId, result } },
        { type: 'usage', usage: { totalTokens: Number(callId.slice(1)) } },
      ];
    }
    case 'note': return null;
    case 'fin': return { type: 'done', generationMs: Number(data) };
    case 'broke': return { type: 'error', error: data };
    default: throw new Error(`what is ${event}?`);
  }
};

const WORDS = ['tide ', 'moon ', 'приливы ', '潮 ', '😀 ', 'a\nb ', ' '];

/** An answer as frames without their ids: words, thoughts, calls, and things that mean nothing. */
export function* answerOf(seed, count) {
  for (let n = 0; n < count; n++) {
    const word = WORDS[(n * 7 + seed) % WORDS.length];
    if (n % 23 === 7) yield ['call', `c${n}\nsql\n[${n}]`];
    else if (n % 29 === 11) yield ['hm', `so ${n}. `];
    else if (n % 31 === 13) yield ['note', 'x'];
    else if (n % 37 === 17) yield ['odd', '{'];
    else yield ['', `${n}${word}`.split('\n').map((line) => `+${line}`).join('\n')];
  }
  yield ['fin', String(count)];
}
