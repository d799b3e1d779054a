import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BestClock, DrillClock, LibraryDrill, Moment, ScoreClock, Session } from '../src/app/drill_types.ts'
import { inlineOf, markdownNodes } from '../src/lib/markdown.ts'
import { bestOf, clockScale, faster, formatClockTime, formatLength, graphRange, hasMissed, isOf, leftSide, missedColumns, momentWords, nextDrill, nextStep, nowOf, panelExpr, placeIn, stagesOf, standing, wallClock } from '../src/lib/drill.ts'

const MINUTE = 60_000
const ZERO = Date.parse('2026-03-02T14:00:00Z')
const clock = (more: Partial<DrillClock> = {}): DrillClock => ({ now_ms: 0, length_ms: 180 * MINUTE, zero_ms: ZERO, wall_ms: ZERO, speed: 1, ...more })
const act = (kind: Moment['act'], more: Partial<Moment> = {}): Moment => ({ n: 1, at_ms: 1000, kind: 'act', who: null, what: null, more: null, ...(kind ? { act: kind } : {}), ...more })
const drill = (name: string, path: number, level: string, played = 0, more: Partial<LibraryDrill> = {}): LibraryDrill => ({ name, title: name, level, path, teaches: '', brief: '', length_ms: MINUTE, real: false, reconstructed: null, sources: [], kind: 'drill', own: false, played: { n: played, last_at_ms: null }, ...more })
const session = (more: Partial<Session> = {}): Session => ({
  id: 7, version: 1, drill: 'x', title: 'X', brief: '', level: 'first-day', mode: 'solo', state: 'running', role: 'player', player: 'ana', you: 'ana', clock: clock({ now_ms: 5000 }),
  alerts: [], incidents: [], pages: [], moments: [], graphs: ['up'], runbooks: ['host#x'], questions: [], hints: { left: 0, next_cost: null, given: [] }, notes: [], ...more,
})
const incident = (acked: number | null, over: number | null = null) => ({ n: 1, title: 'T', opened_ms: 1000, acked_ms: acked, over_ms: over, alerts: [] })
const page = { at_ms: 1000, who: 'ana', what: 'A', incident: 1, acked: false }

test('between two answers the clock goes on by its speed, never past its end, and never while it stands', () => {
  assert.equal(nowOf(clock({ now_ms: 1000, speed: 60 }), 'running', 2000), 121_000)
  assert.equal(nowOf(clock({ now_ms: 1000, speed: 60 }), 'paused', 2000), 1000)
  assert.equal(nowOf(clock({ now_ms: 179 * MINUTE, speed: 60 }), 'running', 5000), 180 * MINUTE)
  assert.equal(nowOf(clock({ now_ms: 1000 }), 'running', -50), 1000, 'a count that went back is none')
  assert.deepEqual([faster(1, 1), faster(60, 1), faster(1, -1), faster(7, -1), faster(3, 1)], [2, 60, 1, 5, 10])
  assert.equal(wallClock(clock(), 69 * MINUTE + 7000), '15:09:07')
  assert.deepEqual([formatLength(180 * MINUTE), formatLength(80 * MINUTE), formatLength(45 * MINUTE)], ['3 h', '1 h 20 min', '45 min'])
  assert.deepEqual([formatClockTime(62_000), formatClockTime(-120_000)], ['1:02', '−2:00'])
})

test('the library is a path; the next drill is the first one not played, never an own or a broken one', () => {
  const all = [drill('c', 3, 'first-week'), drill('own', 0, 'on-call', 0, { own: true }), drill('b', 2, 'first-day', 0, { error: 'b.drill:3:1: no such word' }), drill('a', 1, 'first-day', 2), drill('odd', 9, 'elsewhere')]
  assert.deepEqual(stagesOf(all).map((stage) => [stage.level, stage.drills.map((one) => one.name)]), [['first-day', ['a', 'b']], ['first-week', ['c']], ['other', ['odd']], ['own', ['own']]])
  assert.equal(nextDrill(all)?.name, 'c')
  assert.equal(nextDrill([drill('a', 1, 'first-day', 1), drill('own', 0, 'x', 0, { own: true })]), null)
})

test('a newcomer is told one next step, from the first to the last', () => {
  const step = (more: Partial<Session>) => nextStep(session(more)).id
  assert.equal(step({ state: 'paused', clock: clock() }), 'begin')
  assert.equal(step({ state: 'paused' }), 'resume')
  assert.equal(step({}), 'wait')
  const paged = { incidents: [incident(null)], pages: [page] }
  assert.equal(step(paged), 'ack')
  const acked = { incidents: [incident(2000)], pages: [page] }
  const done: Moment[] = [act('ack')]
  for (const [next, did] of [['look', 'query'], ['runbook', 'runbook'], ['guess', 'hypothesis'], ['do', 'do'], ['tell', 'tell'], ['watch', undefined]] as const) {
    assert.equal(step({ ...acked, moments: [...done] }), next)
    if (did) done.push(act(did))
  }
  const over = { incidents: [incident(2000, 9000)], pages: [page], moments: done }
  assert.equal(step({ ...over, questions: [{ id: 'q', text: '?', answered: false }] }), 'ask')
  assert.equal(step({ ...over, questions: [{ id: 'q', text: '?', answered: true }] }), 'finish')
})

test('where no alert comes, a complaint is what begins it, and what mends ends it', () => {
  const complaint: Moment = { n: 1, at_ms: 1000, kind: 'happened', who: 'customer', what: 'no mail?', more: null }
  const step = (...acts: Moment[]) => nextStep(session({ moments: [complaint, ...acts] })).id
  assert.equal(step(), 'someone')
  assert.equal(step(act('see')), 'look')
  assert.equal(step(act('see'), act('query')), 'guess', 'no alert, no runbook to read')
  assert.equal(nextStep(session({ graphs: [], moments: [complaint, act('see')] })).id, 'guess', 'on paper there is nothing to look at')
  assert.equal(step(act('see'), act('query'), act('hypothesis'), act('do', { verdict: 'good', worth: 'mends' }), act('tell')), 'finish')
})

test('of a drill that was played, what was never in time comes first; what has no clock is not told', () => {
  const best = (clock: BestClock['clock'], ms: number | null, met: boolean | null): BestClock => ({ clock, ms, limit_ms: met === null ? null : 300_000, met })
  const played = drill('a', 1, 'first-day', 2, { played: { n: 2, last_at_ms: 1, best: [best('ack', 9000, true), best('graph', 20_000, null), best('right', null, false), best('tell', 400_000, false), best('mitigation', 600_000, null)] } })
  assert.deepEqual(bestOf(played).map((one) => one.clock), ['right', 'tell', 'ack', 'mitigation'])
  assert.ok(hasMissed(played))
  assert.ok(!hasMissed(drill('b', 2, 'first-day', 1)), 'nothing is known of it')
})

test('series with times of their own share an axis; where one has none, there is a gap', () => {
  const graph = { title: 'disk', from_ms: ZERO, to_ms: ZERO + 3000, at_ms: ZERO + 1000, series: [{ name: 'disk{instance="a", path="/\\"b"}', t_ms: [ZERO, ZERO + 2000], values: [1, 3] }, { name: '{instance="b"}', t_ms: [ZERO + 1000, ZERO + 2000], values: [null, 5] }, { name: 'up', t_ms: [], values: [] }] }
  const { times, values, labels } = missedColumns(graph)
  assert.deepEqual(times.map((at) => at - ZERO / 1000), [0, 1, 2])
  assert.deepEqual(values, [[1, null, 3], [null, null, 5], [null, null, null]])
  assert.deepEqual(labels, [{ __name__: 'disk', instance: 'a', path: '/\\"b' }, { instance: 'b' }, { __name__: 'up' }])
})

test('an alert’s graph is what it compares', () => {
  assert.deepEqual(leftSide('probe_success == 0'), { left: 'probe_success', threshold: 0 })
  assert.deepEqual(leftSide('predict_linear(a{fstype!~"tmpfs|x"}[1h], 4 * 3600) < 0\nand b / c < 0.3\nand d == 0'), { left: 'predict_linear(a{fstype!~"tmpfs|x"}[1h], 4 * 3600)', threshold: 0 })
  assert.deepEqual(leftSide('sum(rate(e[5m])) / sum(rate(a[5m])) > bool 0.05'), { left: 'sum(rate(e[5m])) / sum(rate(a[5m]))', threshold: 0.05 })
  assert.deepEqual(leftSide('a > b'), { left: 'a', threshold: null })
  assert.deepEqual(leftSide('absent(up{job="x"})'), { left: 'absent(up{job="x"})', threshold: null })
  assert.deepEqual(leftSide('a{x="\\" < 1"} > 2'), { left: 'a{x="\\" < 1"}', threshold: 2 })
  assert.deepEqual([panelExpr('http_requests_total'), panelExpr('up'), panelExpr('x_total{a="b"}'), panelExpr('rate(x_total[1m])')], ['rate(http_requests_total[5m])', 'up', 'rate(x_total{a="b"}[5m])', 'rate(x_total[1m])'])
  const { fromMs, toMs } = graphRange(clock(), 61_000, 60 * MINUTE)
  assert.deepEqual([toMs - ZERO, (toMs - fromMs) % 15_000], [75_000, 0])
})

test('moments read as sentences; an incident knows its alerts by their labels', () => {
  const words = (more: Partial<Moment>) => momentWords({ n: 1, at_ms: 0, kind: 'act', who: null, what: null, more: null, ...more })
  assert.deepEqual(words({ kind: 'page', who: 'ana', what: 'DiskFills', more: 'full in four hours' }), { who: 'Pager', text: 'ana is paged: full in four hours', tone: 'bad' })
  assert.deepEqual(words({ kind: 'happened', who: 'customer', what: 'I cannot pay' }), { who: 'A customer', text: 'I cannot pay', tone: 'bad', quoted: true })
  assert.equal(words({ act: 'ack', verdict: 'void' }).text, 'acknowledged, but no page was open')
  assert.deepEqual([words({ act: 'do', what: 'rm', worth: 'harm' }).tone, words({ act: 'do', what: 'off', worth: 'mends' }).tone, words({ act: 'do', what: 'x' }).tone], ['warn', 'ok', 'accent'])
  assert.ok(isOf({ alerts: ['{alertname="DiskFills", instance="a"}'] }, 'DiskFills'))
  assert.ok(!isOf({ alerts: ['{alertname="DiskFillsUp", instance="a"}'] }, 'DiskFills'))
})

test('clocks stand within their limit, over it, or never; the scale holds all of them', () => {
  const one = (more: Partial<ScoreClock>): ScoreClock => ({ clock: 'ack', after_ms: 60_000, limit_ms: 300_000, met: true, ...more })
  assert.deepEqual(standing(one({})), { words: 'within 5:00', tone: 'ok' })
  assert.deepEqual(standing(one({ after_ms: 420_000, met: false })), { words: '2:00 over 5:00', tone: 'warn' })
  assert.deepEqual(standing(one({ after_ms: null, met: false })), { words: 'not within 5:00', tone: 'warn' })
  assert.deepEqual(standing(one({ limit_ms: null })), { words: '', tone: 'idle' })
  const { endMs, at } = clockScale([one({}), one({ after_ms: null, really: { after_ms: 5_400_000, note: null }, own_past: [90_000] })])
  assert.deepEqual([endMs, at(0), at(endMs), at(endMs / 4), at(-5)], [5_400_000, 0, 100, 50, 0])
})

test('an error’s place is found behind a file’s name, or without one', () => {
  assert.deepEqual(placeIn('own.drill:12:9: no such word'), { line: 12, column: 9, message: 'no such word' })
  assert.deepEqual(placeIn('3:1: a title comes first'), { line: 3, column: 1, message: 'a title comes first' })
  assert.equal(placeIn('the file is too large'), null)
})

test('the Markdown of a debrief becomes a tree; what it does not know stays words', () => {
  const nodes = markdownNodes('## Signals\n\nTwo lines\nof one.\n- `up` was **0**\n- [a graph](/explore)\n\n| a | b |\n|---|--:|\n| 1 \\| 2 | 3 |\n\n> said\n<!-- a note -->\n1. first\n2. second')
  assert.deepEqual(nodes.map((node) => node.type), ['heading', 'paragraph', 'list', 'table', 'quote', 'list'])
  assert.deepEqual(nodes[0], { type: 'heading', level: 2, children: [{ type: 'text', text: 'Signals' }] })
  assert.deepEqual(nodes[1]?.children, [{ type: 'text', text: 'Two lines of one.' }])
  assert.deepEqual(nodes[2]?.children?.[0]?.children, [{ type: 'code', text: 'up' }, { type: 'text', text: ' was ' }, { type: 'strong', children: [{ type: 'text', text: '0' }] }])
  assert.deepEqual(nodes[3]?.children?.map((row) => row.children?.map((cell) => [cell.header, cell.children?.[0]?.text])), [[[true, 'a'], [true, 'b']], [[false, '1 | 2'], [false, '3']]])
  assert.equal(nodes[5]?.ordered, true)
  assert.deepEqual(inlineOf('<b>no markup</b> ![alone](graph:1)'), [{ type: 'text', text: '<b>no markup</b> ' }, { type: 'text', text: 'alone' }])
})
