import assert from 'node:assert/strict'
import test from 'node:test'
import { alertsOf, bandsOf, contour, decodeRuns, difference, exprWith, heat, modelOf, readout, readWindows, settingWords, wilson, withTold, writeWindows } from '../src/lib/tune.ts'
import { answerOf, at, encode, setting, STEP } from './tuning.ts'


test('runs are read as they are written, long ones too', () => {
  const levels = [...new Array<number>(300).fill(0), 1, 1, 3, ...new Array<number>(20_000).fill(2)]
  const { starts, levels: read } = decodeRuns(encode(levels))
  assert.deepEqual([...read], [0, 1, 3, 2])
  assert.deepEqual([...starts], [0, 300, 302, 303])
})

/** The state machine, step by step: what the page's runs must come to. */
function slow(levels: readonly number[], j: number, held: number, keep: number): [number, number, number][] {
  const alerts: [number, number, number][] = []
  let active = -1
  let fired = -1
  let since = -1
  for (let i = 0; i <= levels.length; i++) {
    const seen = i < levels.length && levels[i]! > j
    if (seen) {
      since = -1
      if (active < 0) active = i
      if (fired < 0 && i - active >= held) fired = i
    } else if (fired >= 0) {
      if (since < 0) since = i
      if (i - since >= keep || i === levels.length) {
        alerts.push([active, fired, i])
        active = fired = since = -1
      }
    } else active = -1
  }
  return alerts
}

test('alerts from runs are those of the state machine, with keep_firing_for too', () => {
  let seed = 7
  const dice = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648
  for (let round = 0; round < 300; round++) {
    const levels: number[] = []
    while (levels.length < 80) levels.push(...new Array<number>(1 + Math.floor(dice() * 6)).fill(Math.floor(dice() * 4)))
    levels.length = 80
    const model = modelOf(answerOf([levels]))
    for (let j = 0; j < 3; j++) for (let k = 0; k < 3; k++) for (const keep of [0, 1, 3]) {
      const got = alertsOf(model, setting(j, k, keep * STEP)).map((one) => [one.active, one.fired, one.resolved])
      assert.deepEqual(got, slow(levels, j, k, keep), `round ${round}, threshold ${j}, for ${k}, keep ${keep}: ${levels.join('')}`)
    }
  }
})

test('where each threshold has alerts of its own, its runs say all that a level says', () => {
  let seed = 5
  const dice = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648
  for (let round = 0; round < 50; round++) {
    const levels = [0, 1].map(() => Array.from({ length: 60 }, () => Math.floor(dice() * 4)))
    const one = modelOf(answerOf(levels))
    const apart = modelOf(answerOf([], { n_series: 2, n_steps: 60, to: at(60), apart: levels.map((series, i) => ({ labels: { i: String(i) }, runs: [0, 1, 2].map((j) => encode(series.map((level) => (level > j ? 1 : 0)))) })) }))
    assert.ok(apart.complete)
    assert.deepEqual(apart.labels, one.labels)
    for (let j = 0; j < 3; j++) for (const keep of [0, 2]) {
      const where = setting(j, 1, keep * STEP)
      assert.deepEqual(alertsOf(apart, where), alertsOf(one, where), `round ${round}, threshold ${j}, keep ${keep}`)
      assert.deepEqual([...bandsOf(apart, where, 30)], [...bandsOf(one, where, 30)])
    }
  }
  assert.ok(!modelOf(answerOf([], { n_series: 2 })).complete, 'alerts without runs: alertd lists them')
})

test('bands: pending, then firing, in as many columns as are asked for', () => {
  const model = modelOf(answerOf([[0, 2, 2, 2, 0, 2, 0, 0]]))
  assert.deepEqual([...bandsOf(model, setting(1, 2), 8)], [0, 1, 1, 2, 0, 1, 0, 0])
  assert.deepEqual([...bandsOf(model, setting(1, 0), 4)], [2, 2, 2, 0])
  assert.deepEqual([...bandsOf(model, setting(2, 0), 4)], [0, 0, 0, 0])
})

test('bands of a long past in fewer and in more columns are those of its alerts', () => {
  let seed = 11
  const dice = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648
  for (let round = 0; round < 60; round++) {
    const series = Array.from({ length: 1 + Math.floor(dice() * 3) }, () => {
      const levels: number[] = []
      while (levels.length < 120) levels.push(...new Array<number>(1 + Math.floor(dice() * 9)).fill(Math.floor(dice() * 4)))
      return levels.slice(0, 120)
    })
    const first = Math.floor(dice() * 20)
    const model = modelOf(answerOf(series, { first_step: first, for_steps: [0, 2, 5] }))
    for (const n of [100, 50, 7, 240]) for (let j = 0; j < 3; j++) for (let k = 0; k < 3; k++) for (const keep of [0, 3]) {
      const expected = new Uint8Array(n)
      const paint = (from: number, to: number, what: number) => { // steps [from, to)
        for (let c = 0; c < n; c++) for (let step = Math.max(from, first); step < to; step++) {
          if (Math.floor(((step - first) * n) / (120 - first)) === c && expected[c]! < what) expected[c] = what
        }
      }
      for (const levels of series) {
        levels.forEach((level, i) => { if (level > j) paint(i, i + 1, 1) })
        for (const [, fired, resolved] of slow(levels, j, [0, 2, 5][k]!, keep)) paint(fired, resolved, 2)
      }
      const got = bandsOf(model, setting(j, k, keep * STEP), n)
      // In more columns than steps a step is wider than the one it begins in.
      if (n <= 120 - first) assert.deepEqual([...got], [...expected], `round ${round}, ${n} columns, threshold ${j}, for ${k}, keep ${keep}`)
      else expected.forEach((what, c) => { if (what) assert.equal(got[c], what, `round ${round}, column ${c} of ${n}`) })
    }
  }
})

test('what alertd listed is shaded where the browser has no series', () => {
  const model = modelOf(answerOf([[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]))
  const told = { setting: setting(1, 0), alerts: [{ series: -1, active: 2, fired: 3, resolved: 5, found: false }, { series: -1, active: 9, fired: 9, resolved: 10, found: true }] }
  assert.deepEqual([...withTold(bandsOf(model, setting(1, 0), 10), model, told)], [0, 0, 0, 2, 2, 0, 0, 0, 0, 2])
  assert.deepEqual([...withTold(bandsOf(model, setting(1, 0), 5), model, told)], [0, 2, 2, 0, 2])
})

const bad = { key: 'INC-1', title: null, verdict: null, counts: true, words: '', at: 0 }

test('a read-out: from the cells, and with keep_firing_for from the runs', () => {
  const cells = { alerts: [0, 0, 0, 4, 3, 2, 0, 0, 0], true_alerts: [0, 0, 0, 1, 1, 0, 0, 0, 0], firing_steps: new Array<number>(9).fill(5), nights: [0, 0, 0, 2, 1, 0, 0, 0, 0] }
  const model = modelOf(answerOf([[0, 2, 2, 0, 2, 2, 0, 0]], { cells, incidents: [{ ...bad, begin: at(4), end: at(5) }], delays: [[-1, -1, -1, 0, 1, -1, -1, -1, -1]] }))
  const one = readout(model, setting(1, 1), () => false)
  assert.deepEqual([one.alerts, one.aboutNone, one.nights, one.found, one.of, one.worstMs], [3, 2, 1, 1, 1, STEP])
  assert.deepEqual(readout(model, setting(1, 2), () => false).missed, [0])
  const kept = readout(model, setting(1, 1, 2 * STEP), () => true)
  assert.deepEqual([kept.alerts, kept.aboutNone, kept.nights, kept.found, kept.worstMs], [1, 0, 1, 1, 0], 'the gap of one step is bridged')
  assert.match(difference(one, readout(model, setting(1, 2), () => false)), /3 → 2 alerts, 2 → 2 about nothing, loses 1 incident/)
})

test('an interval says how little five of five is', () => {
  const [low, high] = wilson(5, 5)
  assert.ok(low > 0.56 && low < 0.57 && high === 1)
  assert.deepEqual(wilson(0, 0), [0, 1])
})

test('words and the expression of a setting', () => {
  const model = modelOf(answerOf([[0]]))
  assert.equal(settingWords(model, { j: 2, k: 1 }), '> 3 for 1m')
  assert.equal(exprWith('load > 2', model.choice, 3.5), 'load > 3.5')
  assert.equal(exprWith('größe > 2 # ä', { ...model.choice, places: [{ start: 10, end: 11, base: 2, text: '2' }] }, 7), 'größe > 7 # ä')
  assert.equal(exprWith('a > b', { ...model.choice, way: 'vectors', places: [{ start: 4, end: 5, base: 1, text: 'b' }] }, 2), 'a > 2 * (b)')
  assert.equal(exprWith('a > 2 and b > 4', { ...model.choice, way: 'together', places: [{ start: 4, end: 5, base: 2, text: '2' }, { start: 14, end: 15, base: 4, text: '4' }] }, 1.5), 'a > 3 and b > 6')
})

test('a contour goes around what is inside, and nothing else', () => {
  assert.deepEqual(contour(2, 2, (j, k) => j === 0 && k === 0), [[0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 1, 1], [0, 1, 1, 1]])
  assert.deepEqual(contour(3, 3, () => false), [])
  assert.equal(contour(3, 3, () => true).length, 12)
})

test('heat grows with alerts, and none has none', () => {
  assert.equal(heat(0, 100), 0)
  assert.ok(heat(1, 100) < heat(10, 100) && heat(10, 100) < heat(100, 100))
  assert.equal(heat(100, 100), 1)
})

test('windows in an address', () => {
  const windows = [{ fromMs: 1_700_000_000_000, toMs: 1_700_003_600_000 }]
  assert.deepEqual(readWindows(writeWindows(windows)), windows)
  assert.deepEqual(readWindows('1700003600-1700000000,x,'), [])
})
