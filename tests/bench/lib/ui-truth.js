// What must be right at the end of an answer in the AI SDK's protocol: see truth.js.
import { digest } from './truth.js';

const MEMBERS = ['type', 'state', 'text', 'toolCallId', 'input', 'output', 'errorText'];

/** The comparable part of a state. */
export const summarize = ({ status, text, parts }) => ({
  status,
  text,
  parts: parts.map((part) => Object.fromEntries(MEMBERS.filter((name) => part[name] !== undefined).map((name) => [name, part[name]]))),
});

export const hash = ({ status, text, parts }) => digest([status, text, parts.map((part) => MEMBERS.map((name) => part[name] ?? null))]);
