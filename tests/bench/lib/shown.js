// What the page of lib/sidebar.js shows, apart from how it does.

/** So many rows are in sight; the others are scrolled away. */
export const IN_SIGHT = 24;
const WORDS = 60;

/** What a row says of a run. */
export const lineOf = ({ text }) => text.slice(-WORDS);

/** What stands in the page. */
export const read = () => ({
  lines: [...document.querySelectorAll('li')].map((row) => row.textContent),
  message: [...document.querySelectorAll('main p')].map((block) => block.textContent).join(''),
});
