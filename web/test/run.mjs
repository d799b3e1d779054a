// Runs the unit tests: esbuild takes the types out, node --test does the rest.
//
//   node run.mjs PACKAGES     (the folder with node_modules; see build.mjs)

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const packages = resolve(process.argv[2])
const out = join(packages, 'test')
const esbuild = createRequire(join(packages, 'package.json'))('esbuild')
const tests = readdirSync(here).filter((name) => name.endsWith('.test.ts'))

esbuild.buildSync({
  entryPoints: tests.map((name) => join(here, name)), outdir: out, outExtension: { '.js': '.mjs' },
  bundle: true, platform: 'node', format: 'esm', target: 'node18', logLevel: 'warning',
})
const files = tests.map((name) => join(out, name.replace('.ts', '.mjs')))
const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', ...files], { stdio: 'inherit', env: { ...process.env, TZ: 'UTC' } })
process.exit(run.status ?? 1)
