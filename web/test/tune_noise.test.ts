import assert from 'node:assert/strict'
import test from 'node:test'
import { alertsOf, modelOf, readout } from '../src/lib/tune.ts'
import { spansOf, whyNoisy } from '../src/lib/tune_noise.ts'
import { answerOf, at, setting } from './tuning.ts'

const DAY = 1440
/** Levels of some days: 2 where one of the windows (minute of the day, length) holds. */
const past = (days: number, windows: (day: number) => [number, number][]): number[] => Array.from({ length: days }, (_, day) => {
  const levels = new Array<number>(DAY).fill(0)
  for (const [from, length] of windows(day)) levels.fill(2, from, from + length)
  return levels
}).flat()

/** With the cells that a reading of them has. */
function modelWith(series: number[][]) {
  const answer = answerOf(series, { for_steps: [0, 3, 10] })
  const model = modelOf(answer)
  for (let j = 0; j < 3; j++) for (let k = 0; k < 3; k++) answer.cells.alerts[j * 3 + k] = alertsOf(model, setting(j, k)).length
  return model
}
const kinds = (model: ReturnType<typeof modelWith>) => whyNoisy(model, setting(1, 0), 'utc')!.reasons.map((one) => one.kind)

test('short alerts: a longer `for` is proposed, and comes to what is said', () => {
  const model = modelWith([past(4, (day) => [[100 + 97 * day, 2], [500 + 61 * day, 2], [900 + 83 * day, 40]])])
  const { alerts, reasons } = whyNoisy(model, setting(1, 0), 'utc')!
  assert.equal(alerts, 12)
  assert.equal(reasons[0]!.kind, 'short')
  assert.match(reasons[0]!.words, /^67 % of them \(8 of 12\) were over within 5 min/)
  assert.deepEqual(reasons[0]!.setting, setting(1, 1))
  assert.equal(reasons[0]!.change, `Held for 3m it would be ${readout(model, setting(1, 1), () => false).alerts} alerts`)
})

test('what comes back within the hour: kept firing, it is one', () => {
  const model = modelWith([past(4, (day) => [[300 + 200 * day, 10], [318 + 200 * day, 10], [336 + 200 * day, 10]])])
  const again = whyNoisy(model, setting(1, 0), 'utc')!.reasons.find((one) => one.kind === 'again')!
  assert.match(again.words, /^67 % began again/)
  assert.equal(again.setting!.keepMs, 10 * 60_000)
  assert.equal(again.change, 'Kept firing for 10m after it is over it would be 4 alerts')
})

test('at the same hours of most days', () => {
  const backup = modelWith([past(6, (day) => [[12 * 60 + 47 + 3 * day, 20], [day * 230, 20]])])
  const model = modelWith([past(6, () => [[12 * 60 + 50, 20]])])
  assert.match(whyNoisy(model, setting(1, 0), 'utc')!.reasons.find((one) => one.kind === 'daily')!.words, /100 % begin between \d\d:00 and \d\d:00/)
  assert.ok(kinds(backup).includes('daily'))
  assert.ok(!kinds(modelWith([past(6, (day) => [[day * 230, 20]])])).includes('daily'), 'once an hour each day is no habit')
})

test('of one of many series', () => {
  const quiet = past(3, () => [])
  const model = modelWith([quiet, past(3, (day) => [[100 + 300 * day, 20], [700 - 200 * day, 20]]), quiet, quiet])
  assert.match(whyNoisy(model, setting(1, 0), 'utc')!.reasons.find((one) => one.kind === 'alone')!.words, /^100 % are of i="1", one of 4 series/)
})

test('few alerts have nothing to say, and series that are not here are not guessed at', () => {
  assert.deepEqual(whyNoisy(modelWith([past(3, (day) => (day ? [] : [[10, 2]]))]), setting(1, 0), 'utc'), { alerts: 1, reasons: [] })
  assert.equal(whyNoisy(modelOf(answerOf([past(1, () => [])], { n_series: 5000 })), setting(1, 0), 'utc'), null)
})

test('what fires while nothing is collected is told apart, of few alerts too', () => {
  const model = modelWith([past(1, () => [[100, 20], [700, 30]])])
  assert.deepEqual(whyNoisy(model, setting(1, 0), 'utc')!.reasons, [])
  model.answer.gaps = [{ begin: at(95), end: at(120) }]
  const { reasons } = whyNoisy(model, setting(1, 0), 'utc')!
  assert.deepEqual(reasons.map((one) => one.kind), ['blind'])
  assert.match(reasons[0]!.words, /^50 % of them \(1 of 2\) fired while nothing at all was collected/)
})

test('times at which it would have fired: alerts that overlap are one', () => {
  const one = (fired: number, resolved: number, found = false) => ({ series: 0, active: fired, fired, resolved, found })
  assert.deepEqual(spansOf([one(1, 5), one(3, 9, true), one(9, 12), one(20, 21)]), [{ from: 1, to: 12, alerts: 3, found: true }, { from: 20, to: 21, alerts: 1, found: false }])
})
