// What code weighs in a page: bundled, minified and compressed as a server sends it.

import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** `input`: esbuild's `entryPoints` or `stdin`, and `plugins`. Throws if the bundler has anything to say. */
export async function bundle(input) {
  const { outputFiles, warnings } = await build({
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
    ...input,
  });
  // What it warns of here, it warns every user of.
  if (warnings.length > 0) throw new Error(warnings.map(({ text, location }) => `${location?.file}: ${text}`).join('; '));
  return outputFiles[0].contents;
}

/** Sizes in bytes. */
export const weigh = (bytes) => ({
  raw: bytes.length,
  gzip: gzipSync(bytes, { level: 9 }).length,
  brotli: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length,
});
