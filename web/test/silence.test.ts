import assert from 'node:assert/strict'
import test from 'node:test'
import { matcherText, readLine, readMatcher, silencePath, writeLine } from '../src/lib/silence.ts'

test('a matcher is written as it is read', () => {
  for (const text of ['a="b"', 'a!="b"', 'instance=~"https://.*"', 'job!~"x|y"', 'a="with \\"quotes\\""', 'a=""']) {
    const one = readMatcher(text)
    assert.ok(one, text)
    assert.equal(matcherText(one), text)
  }
  assert.deepEqual(readMatcher('a=b c'), { name: 'a', value: 'b c', isRegex: false, isEqual: true })
  assert.deepEqual(readMatcher('a=~"('), { name: 'a', value: '"(', isRegex: true, isEqual: true })
  assert.equal(readMatcher('alone'), null)
  assert.equal(readMatcher('="x"'), null)
})

test('the address of a form filled with labels', () => {
  const url = new URL(silencePath({ alertname: 'Down', path: '/a b&c' }), 'http://w')
  assert.deepEqual(url.searchParams.getAll('m'), ['alertname="Down"', 'path="/a b&c"'])
})

for (const [line, want] of [
  ['sat,sun 02:00-04:00 Europe/Berlin', { weekdays: ['sat', 'sun'], from: '02:00', to: '04:00', zone: 'Europe/Berlin' }],
  ['mon-fri UTC', { weekdays: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '', to: '', zone: 'UTC' }],
  ['fri-mon 22:00-24:00', { weekdays: ['mon', 'fri', 'sat', 'sun'], from: '22:00', to: '00:00', zone: 'UTC' }],
  ['America/Argentina/Salta Saturday', { weekdays: ['sat'], from: '', to: '', zone: 'America/Argentina/Salta' }],
  ['sat 02:00-04:00; sun 02:00-03:00', null],
  ['days=1:7 02:00-04:00', null],
  ['sat 02:00-04:00,05:00-06:00', null],
  ['soon', null],
] as const) {
  test(`buttons for ${line}`, () => {
    const simple = readLine(line)
    assert.deepEqual(simple, want)
    if (simple) assert.deepEqual(readLine(writeLine(simple)), simple)
  })
}
