// Bundles the dashboard.
//
//   node build.mjs --packages DIR --out DIR [--stamp FILE --depfile FILE] [--watch]
//
//   src/main.tsx, src/theme.ts --esbuild--> OUT/assets/NAME-HASH.{js,css}
//   src/index.html             --fill-----> OUT/index.html   (names put in)
//
// PACKAGES holds node_modules. It is outside the source tree, so esbuild is loaded
// from there and the sources are looked at through PACKAGES/src, a symbolic link:
// an import of "preact" in them finds the packages above it.
//
// The shell is what the first page costs: the entries and all they import without
// asking. Above SHELL_GZ_MAX the build fails; lazy chunks are not counted.

import { createRequire } from 'node:module'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const SHELL_GZ_MAX = 47 * 1024

const word = (name) => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? null : process.argv[at + 1]
}
const option = (name) => (word(name) === null ? null : resolve(word(name)))
const here = dirname(fileURLToPath(import.meta.url))
const packages = option('packages') ?? here
const out = option('out') ?? join(packages, 'dist')
const watching = process.argv.includes('--watch')
const esbuild = createRequire(join(packages, 'package.json'))('esbuild')

if (!existsSync(join(packages, 'src'))) symlinkSync(join(here, 'src'), join(packages, 'src'))

/** The files a page fetches at once for `entry`: itself and its static imports. */
function closure(outputs, entry, seen = new Set()) {
  if (seen.has(entry)) return seen
  seen.add(entry)
  for (const { path, kind } of outputs[entry].imports) {
    if (kind === 'import-statement') closure(outputs, path, seen)
  }
  if (outputs[entry].cssBundle) seen.add(outputs[entry].cssBundle)
  return seen
}

/** Writes index.html with the hashed names in it, and weighs the shell. */
function finish(meta) {
  const outputs = meta.outputs
  const entry = (source) => Object.keys(outputs).find((name) => outputs[name].entryPoint?.endsWith(source))
  const main = entry('src/main.tsx')
  const theme = entry('src/theme.ts')
  const shell = new Set([...closure(outputs, main), ...closure(outputs, theme)])
  const url = (name) => `/assets/${basename(name)}`
  const preload = [...shell].filter((name) => name !== main && name !== theme && name.endsWith('.js'))
  const page = readFileSync(join(here, 'src/index.html'), 'utf8')
    .replace('{{theme}}', url(theme))
    .replace('{{main}}', url(main))
    .replace('{{style}}', url(outputs[main].cssBundle))
    .replace('{{preload}}', preload.map((name) => `<link rel="modulepreload" href="${url(name)}">`).join(''))
  writeFileSync(join(out, 'index.html'), page)

  const weigh = (name) => gzipSync(readFileSync(join(packages, name)), { level: 9 }).length
  const shellBytes = [...shell].reduce((sum, name) => sum + weigh(name), 0)
  console.log(`dashboard: shell ${(shellBytes / 1024).toFixed(1)} KB gzipped of ${SHELL_GZ_MAX / 1024}`)
  for (const name of Object.keys(outputs)) {
    if (name.endsWith('.map') || shell.has(name)) continue
    console.log(`dashboard: later ${basename(name)} ${(weigh(name) / 1024).toFixed(1)} KB gzipped`)
  }
  const refuse = (why) => {
    console.error(`dashboard: ${why}`)
    if (!watching) process.exit(1)
  }
  if (shellBytes > SHELL_GZ_MAX) refuse('the shell is over its budget: load something later, or leave it out')
  if (Object.keys(meta.inputs).some((name) => name.includes('/preact/compat/')))
    refuse('preact/compat is in it: from when it is loaded, every onChange of a field is an onInput (see src/ui/memo.ts)')
  if (option('stamp')) writeFileSync(option('stamp'), `${[...shell].map((name) => basename(name)).join('\n')}\n`)
  if (option('depfile')) {
    const sources = Object.keys(meta.inputs).filter((name) => name.startsWith('src/'))
    const names = [...sources, 'src/index.html'].map((name) => join(here, name)).join(' ')
    writeFileSync(option('depfile'), `${word('stamp')}: ${names}\n`)
  }
}

const options = {
  absWorkingDir: packages,
  entryPoints: ['src/main.tsx', 'src/theme.ts'],
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  minify: !watching,
  preserveSymlinks: true,
  loader: { '.later.css': 'text' }, // ui/sheet.ts
  jsx: 'automatic',
  jsxImportSource: 'preact',
  outdir: join(out, 'assets'),
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  plugins: [{ name: 'page', setup: (build) => build.onEnd(({ metafile }) => metafile && finish(metafile)) }],
}

rmSync(out, { recursive: true, force: true })
mkdirSync(join(out, 'assets'), { recursive: true })
if (watching) await (await esbuild.context(options)).watch()
else await esbuild.build(options)
