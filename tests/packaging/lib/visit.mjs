// One look at a page of a consumer: what it reports, and that it has nothing to complain of.

/** `feed`: where the page finds its run. Throws what the page threw. */
export async function visit(browser, origin, feed) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const complaints = [];
    page.on('pageerror', (error) => complaints.push(`${error}`));
    page.on('console', (message) => {
      // The connection that breaks in the middle is the server's doing.
      if (message.type() === 'error' && !/ERR_INCOMPLETE_CHUNKED_ENCODING/.test(message.text())) complaints.push(`${message.text()} ${message.location().url}`);
    });
    await page.goto(`${origin}/?feed=${encodeURIComponent(feed)}`);
    // A dev server may load its page a second time.
    const done = await page.waitForFunction(() => globalThis.outcomes, null, { timeout: 30_000 })
      .catch((error) => { throw new Error(`${error.message}\n${complaints.join('\n')}`); });
    return { outcomes: await done.jsonValue(), complaints };
  } finally {
    await context.close();
  }
}
