import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Readiness, Shadow, ShadowPage } from '../src/app/types.ts'
import { axisOf, byWhen, differenceOf, formatLag, linkOf, merged, missing, progressWords, sensibleToGo, stateOf, stepsOf } from '../src/lib/shadow.ts'

const MADE = '2026-11-27T02:14:07Z'
const after = (seconds: number) => new Date(Date.parse(MADE) + seconds * 1000).toISOString()
const page = (more: Partial<ShadowPage> = {}): ShadowPage => ({
  id: 1, person: 'dan', full_name: 'Dan', shadow: 's1', mode: 'own copy', mentor: 'ana', of: { kind: 'schedule', name: 'web' },
  incident: { key: 'INC-2026-0001', title: 'ShopDown', severity: 'critical', state: 'triggered' }, made_at: MADE, told_at: null, seen_at: null, opened_at: null,
  acknowledged_at: null, hypothesis: null, hypothesis_at: null, notes: null, answers: { acted_on: null, made_sense: null, knew_where: null, answered_at: null }, deliveries: [], ...more,
})
const answers = { acted_on: true, made_sense: true, knew_where: false, answered_at: after(600) }
const shadow = (id: string, from: number, to: number): Shadow => ({ id, revision: 1, spec: { person: 'dan', target_kind: 'schedule', target: 'web', mode: 'observe', from: after(from), to: after(to) } })

test('shadows: who looks on now, who next, who did', () => {
  const all = [shadow('late', 900, 1800), shadow('soon', 60, 1800), shadow('ends last', -60, 900), shadow('ends first', -60, 30), shadow('old', -90, -80), shadow('over', -90, 0)]
  const { now, next, over } = byWhen(all, Date.parse(MADE))
  assert.deepEqual([now, next, over].map((list) => list.map((one) => one.id)), [['ends first', 'ends last'], ['soon', 'late'], ['over', 'old']])
})

test('a page stands where its trainee last did something, or where telling them failed', () => {
  const failed = { receiver: 'person:dan', kind: 'ntfy', state: 'failed', sent_at: null, error: 'refused' }
  const rows: [Partial<ShadowPage>, string][] = [
    [{}, 'Only on this page'], [{ deliveries: [failed] }, 'Not delivered'], [{ deliveries: [failed, { ...failed, state: 'waiting' }] }, 'On its way'],
    [{ told_at: after(1) }, 'Told, not seen'], [{ told_at: after(1), opened_at: after(9) }, 'Seen'], [{ seen_at: after(9), acknowledged_at: after(20) }, 'Acknowledged'],
    [{ acknowledged_at: after(20), hypothesis: 'dns', hypothesis_at: after(90) }, 'Guessed, not answered'], [{ answers }, 'Answered'],
  ]
  for (const [more, words] of rows) assert.equal(stateOf(page(more)).words, words)
})

test('progress in words, each time counted from when the copy was made', () => {
  assert.equal(progressWords(page()), 'not seen')
  assert.equal(progressWords(page({ seen_at: after(70), acknowledged_at: after(120) })), 'seen after 1 min 10 s, acknowledged after 2 min, not answered')
  assert.equal(progressWords(page({ seen_at: after(5), hypothesis_at: after(300), answers })), 'seen after 5 s, guessed after 5 min, answered after 10 min')
})

test('an observer acknowledges nothing', () => {
  assert.deepEqual(stepsOf(page({ mode: 'observe' })).map((one) => one.step), ['seen', 'hypothesis', 'answered'])
  assert.deepEqual(stepsOf(page()).map((one) => one.step), ['seen', 'acknowledged', 'hypothesis', 'answered'])
})

test('what differs between you and them', () => {
  const of = (shadow_ms: number | null, real_ms: number | null) => differenceOf({ what: 'seen', shadow_ms, real_ms }).difference
  assert.equal(of(90_000, 30_000), '1 min later')
  assert.equal(of(30_000, 95_000), '1 min 05 s earlier')
  assert.equal(of(30_200, 30_900), 'at the same time')
  assert.equal(of(null, 30_000), '')
  assert.deepEqual(differenceOf({ what: 'hypothesis', shadow_ms: 61_000, real_ms: null }), { what: 'First hypothesis', you: '1 min 01 s', they: '–', difference: '', alone: 'theirs is not measured' })
  const alone = (what: string, shadow_ms: number | null, real_ms: number | null) => differenceOf({ what, shadow_ms, real_ms }).alone
  assert.deepEqual([alone('told', null, 9), alone('acknowledged', 9, null), alone('resolved', null, 9)], ['only they', 'they did not', ''])
  assert.equal(differenceOf({ what: 'took_over', shadow_ms: null, real_ms: null }).what, 'Took over')
  assert.equal(formatLag(3_900_000), '1 h 05 min')
})

test('both timelines are one, on an axis stretched at its beginning', () => {
  const moment = (seconds: number, words: string) => ({ at: after(seconds), kind: 'x', words })
  const rows = merged([moment(60, 'you'), moment(3600, 'late')], [moment(0, 'opened'), moment(60, 'they')])
  assert.deepEqual(rows.map((row) => [row.side, row.moment.words]), [['they', 'opened'], ['they', 'they'], ['you', 'you'], ['you', 'late']])
  const axis = axisOf(rows)
  assert.deepEqual(axis.ticks.map((tick) => tick.words), ['0', '1 min', '5 min', '15 min', '1 h'])
  assert.equal(axis.at(Date.parse(after(0))), 0)
  assert.equal(axis.at(Date.parse(after(3600))), 100)
  assert.ok(axis.at(Date.parse(after(60))) > 20)
  for (let i = 1; i < axis.ticks.length; i++) assert.ok((axis.ticks[i]?.at ?? 0) > (axis.ticks[i - 1]?.at ?? 0))
})

test('ticks that would lie over each other are left out', () => {
  const far = axisOf(merged([{ at: after(20 * 86_400), kind: 'x', words: 'answered' }], [{ at: MADE, kind: 'x', words: 'opened' }])).ticks
  assert.deepEqual(far.map((tick) => tick.words), ['0', '1 min', '5 min', '1 h', '6 h', '1 d', '7 d'])
  for (let i = 1; i < far.length; i++) assert.ok((far[i]?.at ?? 0) - (far[i - 1]?.at ?? 0) >= 11)
})

test('one moment alone still has an axis', () => {
  const axis = axisOf(merged([], [{ at: MADE, kind: 'x', words: 'opened' }]))
  assert.equal(axis.toMs - axis.fromMs, 60_000)
})

const row = (more: Partial<Readiness>, gate: Partial<Readiness['gate']> = {}): Readiness => ({
  person: 'dan', full_name: 'Dan', pages: 12, night_pages: 2, answered: 10, made_sense: 9, gate: { needs_pages: 10, needs_sense: 0.8, sense: 0.9, passed: false, ...gate },
  items_done: 7, items_signed: 7, items: 7, ...more,
})

test('what is missing to the gate, in words', () => {
  assert.deepEqual(missing(row({}, { passed: true })), [])
  assert.deepEqual(missing(row({ pages: 4, answered: 4, made_sense: 4 })), ['6 more pages to answer: 4 of 10 so far.'])
  assert.deepEqual(missing(row({ pages: 10, answered: 9, made_sense: 9 })), ['1 more page to answer: 9 of 10 so far.', '1 page is not answered yet: that is the quickest way.'])
  assert.deepEqual(missing(row({ made_sense: 8 })), ['More than 80 % must make sense: 8 of 10 did (80 %). With 1 more page that does, it is reached.'])
  assert.deepEqual(missing(row({ items_done: 5, items_signed: 4 }, { passed: true })), ['2 items of the list to do.', '1 item done and waiting for a mentor\'s signature.'])
})

test('how many sensible pages it takes, counted rather than guessed', () => {
  assert.equal(sensibleToGo(row({})), 0)
  assert.equal(sensibleToGo(row({ answered: 0, made_sense: 0 })), 10)
  assert.equal(sensibleToGo(row({ made_sense: 8 })), 1)
  assert.equal(sensibleToGo(row({ made_sense: 5 })), 16)
})

test('evidence is a link when it is an address, and never a script', () => {
  assert.equal(linkOf(' https://wiki.example/x '), 'https://wiki.example/x')
  assert.equal(linkOf('/i/INC-2026-0001'), '/i/INC-2026-0001')
  for (const text of ['walked through it with Ana', '//evil.example/', 'javascript:alert(1)', '/\\evil.example']) assert.equal(linkOf(text), null)
})
