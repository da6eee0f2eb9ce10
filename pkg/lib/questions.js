// Answers to the questions of an interrupted run (B-Q-1), over the server's RPC endpoint. These calls never throw: an answer
// form needs a result to show, not an exception to catch.
import { SteadyStreamError } from './errors.js';
import { createRequestId } from './request-id.js';
import { headerSource } from './headers.js';

const OPERATIONS = ['question_submit', 'question_reject', 'session_compact'];

/** `{qid: {options, customText}}` -> `{qid: string}`: own words win over ticked options; an unanswered question is left out. */
export const foldAnswers = (answers) => {
  const folded = {};
  for (const [id, { options, customText }] of Object.entries(answers)) {
    const text = customText?.trim() ? customText : (options ?? []).join(', ');
    if (text) folded[id] = text;
  }
  return folded;
};

const post = async ({ rpc: { url, credentials, timeoutMs }, headers: headerOption }, signal, body) => {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, Math.min(timeoutMs, 0x7fffffff));
  signal?.addEventListener('abort', abort);
  try {
    if (signal?.aborted) throw new SteadyStreamError('aborted');
    const headers = (await headerSource(headerOption)?.()) ?? new Headers();
    headers.set('Content-Type', 'application/json');
    const response = await fetch(url, { method: 'POST', body, headers, credentials, signal: controller.signal });
    if (!response.ok) throw new SteadyStreamError('http-status', { status: response.status });
    return await response.json();
  } catch (cause) {
    if (cause instanceof SteadyStreamError) throw cause;
    // Whose abort it was decides, not what the browser calls it.
    const code = signal?.aborted ? 'aborted' : controller.signal.aborted ? 'request-timeout' : 'request-failed';
    throw new SteadyStreamError(code, { cause, retryable: true });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
};

const isAccepted = (data) => data?.accepted === true && OPERATIONS.includes(data.operation)
  && typeof data.sessionId === 'string' && typeof data.runId === 'string' && data.sessionId !== '' && data.runId !== '';

/** `makeParams` runs inside, so that wrong input becomes a failure like any other. */
export const callQuestion = async (options, signal, method, makeParams) => {
  try {
    const body = JSON.stringify({ id: createRequestId(), method, params: makeParams() });
    const reply = await post(options, signal, body);
    const data = reply?.result ?? reply;
    if (isAccepted(data)) return { success: true, data };
    const detail = typeof reply?.error === 'string' ? reply.error : reply?.error?.message;
    return { success: false, error: new SteadyStreamError('request-failed', { detail: detail ?? 'not accepted' }) };
  } catch (cause) {
    const error = cause instanceof SteadyStreamError ? cause : new SteadyStreamError('request-failed', { cause });
    return { success: false, error };
  }
};
