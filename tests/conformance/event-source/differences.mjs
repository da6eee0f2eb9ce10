// Where a class of ours differs from the browser's, by its name and the case's id: `reason` says why it does, and `says` is a
// part of what the case says when it fails. A case that is listed here has to fail in this way; all others have to pass.

/** @type {Record<string, Record<string, { says: string, reason: string }>>} */
export const differences = {};
