// What a JSON text that is still coming says so far, for somebody who looks again and again: a look reads what came since the one
// before, and what that did not change is the same object as then. What was handed out stays as it was: a container that is
// still open is copied before it changes, so a look costs what is new and the width of what is open, not the text behind it.
//
// Only sound JSON is read here, without a name that could reach a prototype (4.7), and never less of it than before. Of all else
// a look says nothing, and whoever asks has to parse the whole text.

const TOKEN = /[ \t\n\r]+|[{}[\],:]|"((?:[^"\\]+|\\.)*)("?)|[^ \t\n\r{}[\],:"]+/gs;

// What may come next. Where an end may come, the text may also be closed.
const VALUE = 1;
const KEY = 2;
const COLON = 4;
const COMMA = 8;
const END = 16;

const must = (condition) => {
  if (!condition) throw new SyntaxError();
};

/** `pending`: the text so far. */
export const createGrowingJson = (pending) => {
  let length = pending.length;
  let read = 0;
  let isOdd = false;
  let next = VALUE;
  // The containers that are open, around them one for the whole value; the place in each of what comes; and what closes them.
  const open = [[]];
  const places = [0];
  let closing = '';
  let wasSeen = false;
  // What has come of a string, and the text of anything else that has no end of its own.
  let string;
  let word = '';

  const put = (value) => {
    if (Object.is(open.at(-1)[places.at(-1)], value)) return;
    if (wasSeen) {
      for (let i = 1; i < open.length; i++) {
        const old = open[i];
        open[i - 1][places[i - 1]] = open[i] = Array.isArray(old) ? old.slice() : { ...old };
      }
      wasSeen = false;
    }
    open.at(-1)[places.at(-1)] = value;
  };

  const enter = (container, place, end) => {
    must(next & VALUE);
    put(container);
    open.push(container);
    places.push(place);
    closing = end + closing;
  };

  const feed = (text) => {
    let said = string ?? '';
    const all = (string === undefined ? word : '"') + text;
    string = undefined;
    word = '';
    for (const [token, contents, quote] of all.matchAll(TOKEN)) {
      // Behind a string without an end: half an escape.
      must(string === undefined);
      if (word) {
        put(JSON.parse(word));
        word = '';
        next = COMMA | END;
      }
      switch (token[0]) {
        case '"': {
          const piece = JSON.parse(`"${contents}"`);
          if (next & KEY) {
            must(quote && piece !== '__proto__' && piece !== 'constructor');
            places[places.length - 1] = piece;
            next = COLON;
            break;
          }
          must(next & VALUE);
          said += piece;
          put(said);
          if (quote) next = COMMA | END;
          else string = said;
          said = '';
          break;
        }
        case '{':
          enter({}, '', '}');
          next = KEY | END;
          break;
        case '[':
          enter([], 0, ']');
          next = VALUE | END;
          break;
        case '}':
        case ']':
          must(next & END && closing[0] === token);
          open.pop();
          places.pop();
          closing = closing.slice(1);
          next = COMMA | END;
          break;
        case ',':
          must(next & COMMA && closing);
          next = closing[0] === ']' ? VALUE : KEY;
          places[places.length - 1] += 1;
          break;
        case ':':
          must(next & COLON);
          next = VALUE;
          break;
        case ' ': case '\t': case '\n': case '\r':
          break;
        default:
          must(next & VALUE);
          word = token;
      }
    }
  };

  return {
    /** More of the text, of which `at` units were there. False where another has taken it further. */
    add(at, piece) {
      if (at !== length) return false;
      length += piece.length;
      pending += piece;
      return true;
    },
    /** What the first `kept` units say with `end` behind them; `undefined` where that is not for here. */
    look(kept, end) {
      if (isOdd || kept < read) return undefined;
      try {
        // Until it is through.
        isOdd = true;
        feed(pending.slice(0, kept - read));
        pending = pending.slice(kept - read);
        read = kept;
        isOdd = false;
        if (string !== undefined) {
          must(end === `"${closing}`);
        } else if (word) {
          must(end.endsWith(closing));
          put(JSON.parse(word + end.slice(0, end.length - closing.length)));
        } else {
          must(next & END && end === closing);
        }
        wasSeen = true;
        return open[0][0];
      } catch {
        return undefined;
      }
    },
  };
};
