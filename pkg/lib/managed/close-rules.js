// What the end of a WebSocket means, by its code: the table of docs/ws-chat.md, which all of the library's sockets follow.

const OVERLOADED = 1013;
const OVERLOADED_FLOOR_MS = 5000;
// Protocol and policy: the same connection would end the same way again.
const FATAL = new Set([1002, 1003, 1007, 1008, 1009, 1010, 1015]);
const UNAUTHORIZED = 401;
const MAY_PASS = new Set([408, 425, 429]);

// The engine has the same table for the socket of its runs (run/connections.rs).

/** `status`: the HTTP status that a code of 4400 to 4599 stands for. */
export const ruleOf = (code) => {
  if (code === OVERLOADED) return { floorMs: OVERLOADED_FLOOR_MS };
  if (FATAL.has(code)) return { isFatal: true, code: 'socket-refused' };
  if (code < 4400 || code > 4599) return {};
  const status = code - 4000;
  if (status === UNAUTHORIZED) return { status, code: 'unauthorized', asksAnew: true };
  return { status, code: 'http-status', isFatal: status < 500 && !MAY_PASS.has(status) };
};

/** What a native socket throws for wrong arguments of `close`, where there is none to throw it. */
export const checkClose = (code, reason) => {
  if (code !== undefined) {
    const number = Math.trunc(Number(code));
    if (number !== 1000 && !(number >= 3000 && number <= 4999)) {
      throw new DOMException(`The code must be either 1000, or between 3000 and 4999. ${code} is neither.`, 'InvalidAccessError');
    }
  }
  if (reason !== undefined && new TextEncoder().encode(`${reason}`).length > 123) {
    throw new DOMException('The close reason must not be longer than 123 bytes.', 'SyntaxError');
  }
};
