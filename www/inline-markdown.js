// Markdown inside a line: code, strong, emphasis, deletions, links. `open` means that more text may follow, so a mark that
// is not closed yet already counts: half a bold word is bold from its first letter on, instead of changing under the reader.

const ESCAPABLE = '\\`*_{}[]()#+-.!|~>';
const MARKS = [['**', 'strong'], ['__', 'strong'], ['~~', 'del'], ['*', 'em'], ['_', 'em']];
const isSpace = (character) => character === undefined || /\s/.test(character);
const isWord = (character) => character !== undefined && /[\p{L}\p{N}]/u.test(character);

const toHref = (url) => {
  try {
    const { protocol, href } = new URL(url);
    return ['http:', 'https:', 'mailto:'].includes(protocol) ? href : null;
  } catch {
    return null;
  }
};

/** Tokens `{tag, text}` or `{tag, href?, children}`; `tag` null is plain text. */
export const parseInline = (text, open = false) => {
  const tokens = [];
  const missing = new Set();      // closing marks that the rest does not have: each is searched for in vain once
  let plain = '';
  let at = 0;

  const flush = () => {
    if (plain) tokens.push({ tag: null, text: plain });
    plain = '';
  };
  const find = (mark, from) => {
    if (missing.has(mark)) return -1;
    const found = text.indexOf(mark, from);
    if (found < 0) missing.add(mark);
    return found;
  };
  const put = (token, next) => {
    flush();
    tokens.push(token);
    at = next;
    return true;
  };

  const code = () => {
    const mark = /^`+/.exec(text.slice(at, at + 16))[0];
    const from = at + mark.length;
    const end = find(mark, from);
    if (end > from) return put({ tag: 'code', text: text.slice(from, end) }, end + mark.length);
    if (open && end < 0 && from < text.length) return put({ tag: 'code', text: text.slice(from) }, text.length);
    return false;
  };

  const span = () => {
    const [mark, tag] = MARKS.find(([candidate]) => text.startsWith(candidate, at)) ?? [];
    if (!mark) return false;
    const from = at + mark.length;
    if (isSpace(text[from]) || (mark[0] === '_' && isWord(text[at - 1]))) return false;
    let end = find(mark, from);
    // `*a **b** c*`: a double mark does not close a single one.
    while (end >= 0 && mark.length === 1 && text[end + 1] === mark) end = text.indexOf(mark, end + 2);
    if (end > from && !isSpace(text[end - 1])) {
      return put({ tag, children: parseInline(text.slice(from, end)) }, end + mark.length);
    }
    if (open && end < 0 && mark !== '_') return put({ tag, children: parseInline(text.slice(from), true) }, text.length);
    return false;
  };

  const link = () => {
    const middle = find('](', at);
    if (middle < 0 || text.slice(at + 1, middle).includes('[')) return false;
    const end = find(')', middle + 2);
    if (end < 0 && !open) return false;
    const children = parseInline(text.slice(at + 1, middle));
    const href = end < 0 ? null : toHref(text.slice(middle + 2, end).trim());
    return put(href ? { tag: 'a', href, children } : { tag: 'span', children }, end < 0 ? text.length : end + 1);
  };

  while (at < text.length) {
    const character = text[at];
    if (character === '\\' && ESCAPABLE.includes(text[at + 1])) {
      plain += text[at + 1];
      at += 2;
      continue;
    }
    // A mark at the very end is not read yet: it may open, close or be two.
    if (open && '*_`~'.includes(character) && /^[*_`~]{1,3}$/.test(text.slice(at, at + 4)) && at + 3 >= text.length) break;
    if (character === '`' && code()) continue;
    if ('*_~'.includes(character) && span()) continue;
    if (character === '[' && link()) continue;
    plain += character;
    at += 1;
  }
  flush();
  return tokens;
};

const isSame = (a, b) => a.tag === b.tag && a.text === b.text && a.href === b.href
  && a.children?.length === b.children?.length
  && (!a.children || a.children.every((child, i) => isSame(child, b.children[i])));

const build = ({ tag, text, href, children }) => {
  if (tag === null) return document.createTextNode(text);
  const element = document.createElement(tag);
  if (href) {
    element.href = href;
    element.target = '_blank';
    element.rel = 'noopener noreferrer';
  }
  if (text !== undefined) element.textContent = text;
  else element.append(...children.map(build));
  return element;
};

const rendered = new WeakMap();

/** Makes `element` show `text`, touching only what differs from what it shows: normally the last few characters. */
export const renderInline = (element, text, open) => {
  const before = rendered.get(element) ?? { text: null, open: false, tokens: [] };
  if (before.text === text && before.open === open) return;
  const tokens = parseInline(text, open);
  let same = 0;
  while (same < tokens.length && same < before.tokens.length && isSame(tokens[same], before.tokens[same])) same++;
  const last = tokens[same];
  const was = before.tokens[same];
  if (last && was && last.tag === null && was.tag === null && last.text.startsWith(was.text)) {
    element.childNodes[same].appendData(last.text.slice(was.text.length));
    same++;
  }
  while (element.childNodes.length > same) element.lastChild.remove();
  element.append(...tokens.slice(same).map(build));
  rendered.set(element, { text, open, tokens });
};
