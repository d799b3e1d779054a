// Numbers, filters, keys, diffs and the matrix: what the views decide with.

import assert from 'node:assert/strict'
import test from 'node:test'
import type { ExplainNode, PromAlert } from '../src/app/types.ts'
import { groupAlerts, matches, ownLabels } from '../src/lib/alerts.ts'
import { diffLines } from '../src/lib/diff.ts'
import { explainRows, formatBytes, formatCost, formatShare } from '../src/lib/explain.ts'
import { hold } from '../src/lib/hold.ts'
import { IDLE, step, takesText } from '../src/lib/keys.ts'
import { stepFor, summarize, toColumns } from '../src/lib/matrix.ts'
import { count, formatValue } from '../src/lib/number.ts'
import { ownRunbook, sectionOf } from '../src/lib/section.ts'
import { isBareSelector, rollupStep, rollupWords, toBands } from '../src/lib/rollup.ts'
import { caretLine, errorPlace, formatSeries, offsetOf } from '../src/lib/promql.ts'

for (const [value, want] of [
  [0, '0'], [0.93124, '0.9312'], [12.5, '12.5'], [1204, '1,204'], [123456.7, '123,457'], [3.21e9, '3.21e9'], [-1.842e9, '-1.84e9'],
  [0.00001, '1.00e-5'], ['NaN', 'NaN'], ['+Inf', '+Inf'], ['-Inf', '-Inf'], ['1e+00', '1'],
] as [number | string, string][]) {
  test(`a value reads ${want}`, () => assert.equal(formatValue(value), want))
}

const part = (label: string, total_ms: number, self_ms: number, children: ExplainNode[] = []): ExplainNode =>
  ({ label, kind: 'call', type: 'vector', start: 0, end: 1, evaluations: 1, steps: 1, series: 1, points: 1, samples: 1, bytes: 1, total_ms, self_ms, share: 0, hottest: false, children })

test('an explained query is rows in reading order, each a part of the whole', () => {
  const rows = explainRows(part('>', 4, 1, [part('sum', 3, 1, [part('x', 2, 2)]), part('0', 0, 0)]))
  assert.deepEqual(rows.map(({ node, depth, own, whole }) => [node.label, depth, own, whole]), [['>', 0, 0.25, 1], ['sum', 1, 0.25, 0.75], ['x', 2, 0.5, 0.5], ['0', 1, 0, 0]])
  assert.deepEqual(explainRows(part('1', 0, 0)).map(({ own, whole }) => [own, whole]), [[0, 0]])
})

test('what parts cost, in words', () => {
  assert.deepEqual([0, 0.0004, 0.42, 1].map(formatShare), ['0 %', '<1 %', '42 %', '100 %'])
  assert.deepEqual([0.0042, 0.999, 1.234, 1500].map(formatCost), ['4 µs', '999 µs', '1.23 ms', '1.5 s'])
  assert.deepEqual([10, 2048, 3 * 2 ** 20].map(formatBytes), ['1 KiB', '2 KiB', '3.0 MiB'])
})

test('counting', () => {
  assert.equal(count(1, 'alert'), '1 alert')
  assert.equal(count(0, 'alert'), '0 alerts')
  assert.equal(count(2, 'series', 'series'), '2 series')
})

const labels = { alertname: 'ProbeDown', job: 'blackbox', instance: 'https://shop.example/' }
for (const [filter, want] of [
  ['', true], ['shop', true], ['SHOP', true], ['probedown job=blackbox', true], ['job=node', false], ['job!=node', true],
  ['job="blackbox"', true], ['instance=~example', true], ['shop nothing', false], ['absent=', true],
] as [string, boolean][]) {
  test(`filter ${JSON.stringify(filter)} ${want ? 'keeps' : 'drops'} the alert`, () => assert.equal(matches(labels, filter), want))
}

const alert = (name: string, instance: string, state: 'firing' | 'pending', severity = 'warning', at = '2026-08-21T12:00:00Z'): PromAlert =>
  ({ labels: { alertname: name, job: 'node', instance, severity }, annotations: {}, state, activeAt: at, value: '1' })

test('groups: firing before pending, worse before milder, then by name', () => {
  const groups = groupAlerts([alert('C', 'a', 'pending', 'critical'), alert('B', 'a', 'firing'), alert('A', 'a', 'firing'), alert('Z', 'a', 'firing', 'critical')])
  assert.deepEqual(groups.map((group) => group.name), ['Z', 'A', 'B', 'C'])
})

test('a group: shared labels once, the firing first, the oldest start', () => {
  const [group] = groupAlerts([alert('A', 'a', 'pending', 'warning', '2026-08-21T11:00:00Z'), alert('A', 'b', 'firing')])
  assert.ok(group)
  assert.deepEqual(group.shared, { job: 'node' })
  assert.deepEqual(group.alerts.map((one) => one.state), ['firing', 'pending'])
  assert.deepEqual(ownLabels(group.alerts[0]!, group.shared), { instance: 'b' })
  assert.equal(group.sinceMs, Date.parse('2026-08-21T11:00:00Z'))
  assert.equal(group.nPending, 1)
})

test('what the hand is on does not move', () => {
  const key = (row: { id: string }) => row.id
  const shown = [{ id: 'a', n: 1 }, { id: 'b', n: 1 }]
  const latest = [{ id: 'c', n: 2 }, { id: 'a', n: 2 }]
  assert.deepEqual(hold(latest, null, key).rows.map((row) => row.item.id), ['c', 'a'])
  const held = hold(latest, shown, key)
  assert.deepEqual(held.rows, [{ item: { id: 'a', n: 2 }, gone: false }, { item: { id: 'b', n: 1 }, gone: true }])
  assert.equal(held.waiting, 1)
})

const COMMANDS = new Set(['a', 'g w', 'g a', '?', '['])
const type = (keys: [string, number][]) => {
  let state = IDLE
  return keys.map(([key, atMs]) => {
    const next = step(state, key, atMs, COMMANDS)
    state = next.state
    return next.command
  })
}
for (const [name, keys, want] of [
  ['one letter acts', [['a', 0]], ['a']],
  ['two letters within a second', [['g', 0], ['w', 900]], [null, 'g w']],
  ['g then a is the sequence, not a', [['g', 0], ['a', 10]], [null, 'g a']],
  ['too late: the second letter is its own', [['g', 0], ['a', 1500]], [null, 'a']],
  ['an unknown second letter starts again', [['g', 0], ['x', 10], ['a', 20]], [null, null, 'a']],
  ['g g w', [['g', 0], ['g', 10], ['w', 20]], [null, null, 'g w']],
] as [string, [string, number][], (string | null)[]][]) {
  test(`keys: ${name}`, () => assert.deepEqual(type(keys), want))
}

test('letters belong to inputs', () => {
  assert.equal(takesText('TEXTAREA', '', false), true)
  assert.equal(takesText('INPUT', 'search', false), true)
  assert.equal(takesText('INPUT', 'checkbox', false), false)
  assert.equal(takesText('BUTTON', 'button', false), false)
  assert.equal(takesText('DIV', '', true), true)
})

test('a step gives at most a point every two pixels, and is round', () => {
  assert.equal(stepFor(3600_000, 1200), 10)
  assert.equal(stepFor(900_000, 1200), 2)
  assert.equal(stepFor(7 * 86_400_000, 1200), 1800)
  for (const width of [320, 800, 2000]) for (const hours of [0.25, 1, 24, 168]) {
    assert.ok((hours * 3600) / stepFor(hours * 3600_000, width) <= Math.max(60, width / 2))
  }
})

test('a matrix becomes columns on one grid, and a gap stays a gap', () => {
  const columns = toColumns([
    { metric: { instance: 'a' }, values: [[100, '1'], [120, '3']] },
    { metric: { instance: 'b' }, values: [[110, 'NaN'], [120, '+Inf']] },
  ], 100_000, 120_000, 10)
  assert.deepEqual(columns.times, [100, 110, 120])
  assert.deepEqual(columns.values, [[1, null, 3], [null, null, null]])
  assert.deepEqual(summarize(columns.times, columns.values[0]!), { min: 1, max: 3, maxAt: 120, last: 3, n: 2 })
  assert.equal(summarize(columns.times, columns.values[1]!), null)
})

test('more series than can be told apart are counted, not drawn', () => {
  const many = Array.from({ length: 45 }, (_, i) => ({ metric: { i: String(i) }, values: [[0, '1']] as [number, string][] }))
  const columns = toColumns(many, 0, 10_000, 10)
  assert.equal(columns.values.length, 40)
  assert.equal(columns.omitted, 5)
})

test('where a query is wrong', () => {
  const error = 'invalid parameter "query": 2:3: parse error: unexpected "bad"'
  const place = errorPlace(error)
  assert.deepEqual(place, { line: 2, column: 3, message: 'unexpected "bad"' })
  assert.equal(offsetOf('sum(\n  bad', place!), 7)
  assert.deepEqual(caretLine('sum(\n  bad', place!), { line: '  bad', indent: 2 })
  assert.equal(errorPlace('query timed out'), null)
  assert.equal(offsetOf('x', { line: 9, column: 9, message: '' }), 1)
})

test('a series as one writes it', () => {
  assert.equal(formatSeries({ __name__: 'up', job: 'a' }), 'up{job="a"}')
  assert.equal(formatSeries({ __name__: 'up' }), 'up')
  assert.equal(formatSeries({}), '{}')
})

test('what changed between two versions', () => {
  const lines = diffLines('a\nfor: 5m\nz\n', 'a\nfor: 1m\nb\nz\n').map((line) => `${{ same: ' ', added: '+', removed: '-' }[line.kind]}${line.text}`)
  assert.deepEqual(lines, [' a', '-for: 5m', '+for: 1m', '+b', ' z'])
})

const heading = (level: number, words: string) => ({ type: 'heading', level, children: [{ type: 'text', text: words }] })
const paragraph = (words: string) => ({ type: 'paragraph', children: [{ type: 'text', text: words }] })

test('a runbook section: from its heading to the next of its rank', () => {
  const nodes = [heading(1, 'Host'), heading(2, 'HostOutOfMemory'), paragraph('a'), heading(3, 'What to do?'), paragraph('b'), heading(2, 'HostHighLoad'), paragraph('c')]
  assert.deepEqual(sectionOf(nodes, 'hostoutofmemory'), nodes.slice(1, 5))
  assert.deepEqual(sectionOf(nodes, 'hosthighload'), nodes.slice(5))
  assert.deepEqual(sectionOf(nodes, 'what-to-do'), nodes.slice(3, 5))
  assert.equal(sectionOf(nodes, 'absent'), null)
})

test('which runbooks are ours', () => {
  const origins = ['http://127.0.0.1:9797', 'https://watch.example']
  assert.deepEqual(ownRunbook('https://watch.example/runbooks/host#hostoutofmemory', origins), { pack: 'host', anchor: 'hostoutofmemory' })
  assert.deepEqual(ownRunbook('/runbooks/host', origins), { pack: 'host', anchor: '' })
  assert.equal(ownRunbook('https://evil.example/runbooks/host#x', origins), null)
  assert.equal(ownRunbook('https://watch.example/runbooks/../api', origins), null)
  assert.equal(ownRunbook('http://[', origins), null)
})

test('which questions a roll-up answers', () => {
  for (const bare of ['up', ' node_load1 ', 'a:b:rate5m{job="x"}', '{__name__=~"a|b"}', 'm{path="/{id}",q=\'}\'}', 'm{a="\\"}"}', 'm {\n  a="1",\n}']) assert.ok(isBareSelector(bare), bare)
  for (const other of ['', '  ', 'rate(up[5m])', 'up[5m]', 'up offset 1d', 'up @ 0', 'up + 1', '1', 'up{a="}', 'NaN', 'inf', '-up', 'sum by (a) (up)', '"up"']) assert.ok(!isBareSelector(other), other)
})

test('steps of a roll-up are whole five minutes, and few enough', () => {
  for (const days of [3, 7, 30, 90, 365, 3650]) {
    for (const width of [390, 1280]) {
      const step = rollupStep(days * 86400e3, width)
      assert.equal(step % (step < 3600 ? 300 : 3600), 0, `${days} days`)
      assert.ok(days * 86400 / step <= width / 2 + 1, `${days} days at ${width}: ${step}`)
    }
  }
  assert.equal(rollupStep(3 * 86400e3, 1280), 600)
  assert.equal(rollupStep(365 * 86400e3, 1200), 86400)
})

test('a roll-up as columns: the mean between the least and the greatest', () => {
  const columns = toBands([{ metric: { __name__: 'm' }, values: [[600, '1', '5', '12', 4], [1200, '2', '2', '4', 2], [1800, 'NaN', 'NaN', 'NaN', 1]] }], 700e3, 2400e3, 600)
  assert.deepEqual(columns.times, [900, 1500, 2100])
  assert.deepEqual(columns.values, [[3, 2, null]])
  assert.deepEqual(columns.band, { lows: [[1, 2, null]], highs: [[5, 2, null]], stepS: 600 })
  assert.equal(rollupWords(300, 1200), '5-min roll-up, a point every 20 min: the line is the mean, the band is min..max')
  assert.equal(rollupWords(3600, 21600), '1-h roll-up, a point every 6 h: the line is the mean, the band is min..max')
  assert.equal(rollupWords(3600, 172800), '1-h roll-up, a point every 2 days: the line is the mean, the band is min..max')
})
