// One run as its server tells it: escapes, characters of every length, and so many events that the text takes several reads.

const WORDS = Array.from({ length: 400 }, (_, i) => `${i} "wörter" \\ 再接続 🙂\n`);

const event = (name, payload, id) => `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify({ type: name, ...payload })}\n\n`;

export const TEXT = WORDS.join('');
export const EVENTS = [...WORDS.map((content, i) => event('content', { content }, `5-${i}`)), event('done', {}, '6-0')];
