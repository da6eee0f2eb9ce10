// Building elements. Text always goes in as text: nothing here, or in what uses it, ever reads HTML from a string.

/** An element with attributes (`class`, `onclick`, `aria-…`; false and null leave one out) and children. */
export const h = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
};

const SVG = 'http://www.w3.org/2000/svg';

/** A drawing from the sprite in index.html. Icons stand beside words and say nothing themselves. */
export const icon = (name) => {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
};

/** Sets text only where it differs, so that an unchanged line costs no layout. */
export const setText = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

/** Grows or replaces the text of a node that holds nothing else; a growing text keeps the user's selection. */
export const growText = (node, text) => {
  if (text === node.data) return;
  if (text.startsWith(node.data)) node.appendData(text.slice(node.data.length));
  else node.data = text;
};

/** A button that copies what `read()` gives and says so for a moment. */
export const copyButton = (read, label = 'Copy') => {
  const words = h('span', {}, label);
  let timer = 0;
  const say = (text) => {
    clearTimeout(timer);
    setText(words, text);
    timer = setTimeout(() => setText(words, label), 1500);
  };
  const copy = () => navigator.clipboard.writeText(read()).then(() => say('Copied'), () => say('Not allowed'));
  return h('button', { class: 'quiet', type: 'button', onclick: copy }, icon('copy'), words);
};
