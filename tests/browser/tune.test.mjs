// Somebody tunes a noisy rule: finds why it is noisy, chooses a better setting, sees what it would have
// cost, saves it. Numbers on the page are those of alertctl; a drag asks alertd for nothing; all of
// it by keyboard. What a drag takes is printed, not judged: machines differ.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Alertd } from './daemon.mjs'
import { assertAccessible, assertClean, inTheme, launch, open, picture } from './page.mjs'
import { seedTuning, TUNING_RULES } from './tuning.mjs'

const V1 = '/api/alertd/v1'
const ROOT = new URL('../..', import.meta.url).pathname
const CTL = process.env.ALERTCTL
let alertd, browser, made
before(async () => {
  ;[alertd, browser] = await Promise.all([new Alertd({ flags: ['--storage.retention.time=0', `--drills.path=${ROOT}/drills`] }).start(), launch()])
  made = await seedTuning(alertd)
})
after(async () => {
  await browser?.close()
  await alertd?.close()
})

const seconds = (iso) => Date.parse(iso) / 1000
const inc = () => made.bad.map((one) => `${seconds(one.from)}-${seconds(one.to)}`).join(',')
const span = () => `from=${new Date(made.startMs).toISOString()}&to=${new Date(made.endMs).toISOString()}`
const path = (name, more = '') => `/rules/${made.ids[name]}/tune?${span()}${more}`
/** Counts what it waits for; the event stream is never over. */
const watched = (page) => {
  page.setDefaultTimeout(60_000) // a busy machine is not a broken page
  page.waits = new Set()
  const isOurs = (request) => /\/(tunings|query_range)/.test(request.url())
  page.on('request', (request) => { if (isOurs(request)) page.waits.add(request) })
  for (const event of ['requestfinished', 'requestfailed']) page.on(event, (request) => page.waits.delete(request))
  return page
}
const tuned = async (where, options = {}) => {
  const page = watched(await open(browser, alertd, { path: '/nowhere', ...options }))
  await page.goto(alertd.url + where)
  await page.waitForSelector('.tune-reads, .empty h3')
  return page
}
/** What the read-outs say: name -> its number; of how many only where that is the point. */
const reads = (page) => page.evaluate(() => Object.fromEntries([...document.querySelectorAll('.tune-reads > div')].map((one) => {
  const [name, value] = [one.querySelector('dt').textContent, one.querySelector('dd')]
  return [name, (name === 'Incidents found' ? value : value.firstChild).textContent.replaceAll(',', '')]
})))
const shot = (page, name) => picture(page, `tune-path-${name}`)
/** Until nothing has been asked for a while. */
const rest = async (page) => {
  for (let quiet = 0; quiet < 6;) {
    await page.waitForTimeout(100)
    // Asked again after a while when alertd is busy: until then the counts are pale.
    const isPale = await page.evaluate(() => document.querySelector('.tune-reads .pale') !== null)
    quiet = page.waits.size === 0 && !isPale ? quiet + 1 : 0
  }
}
/** An endpoint that is not there yet is no mistake of the page, and it says so in words. */
const forgive = async (page) => {
  await page.evaluate(() => scrollTo(0, 0)) // the read-outs stay in sight, above what is scrolled below them
  page.noticed = page.noticed.filter((one) => !/tunings\/pages|\/canary/.test(one))
}

test('a first visit: what costs most, why it is noisy, a better setting, what it would have cost, saved', async () => {
  const page = watched(await open(browser, alertd, { path: '/rules' }))
  // What costs most, and the one change that would help.
  await page.getByRole('link', { name: 'Review' }).click()
  await page.getByRole('button', { name: 'Look again now' }).click()
  const row = page.locator('tr', { has: page.getByRole('link', { name: 'ShopSlow', exact: true }) })
  await row.getByText('Can be better').waitFor({ timeout: 120_000 })
  await shot(page, '1-review')
  await row.getByRole('link', { name: 'Look at this change' }).click()
  await page.waitForSelector('.tune-reads')
  const { setting } = (await alertd.get(`${V1}/review`)).rules.find((one) => one.rule === 'ShopSlow')
  if (setting.for_ms !== undefined) assert.match(await page.locator('.tune-controls').innerText(), new RegExp(`Held for ${setting.for_ms / 60_000}m`), 'the change is set')
  if (setting.keep_ms !== undefined) assert.equal(await page.getByLabel('Keep firing for').inputValue(), String(setting.keep_ms), 'the change is set')

  // The rule, and why it is noisy.
  await page.goto(`${alertd.url}/rules/${made.ids.ShopSlow}`)
  await page.getByRole('link', { name: 'Tune it' }).click()
  await page.waitForSelector('.tune-reads')
  assert.match(page.url(), new RegExp(`/rules/${made.ids.ShopSlow}/tune`))
  await rest(page)
  const noisy = await reads(page)
  assert.ok(Number(noisy.Alerts) > 300, `noisy: ${JSON.stringify(noisy)}`)
  const reasons = page.locator('.tune-reasons')
  assert.match(await reasons.innerText(), /\d+ % of them \([\d,]+ of [\d,]+\) were over within 5 min/)
  assert.match(await page.locator('.tune-legend').innerText(), /6 series/)
  await page.locator('.suggest', { hasText: 'fewest alerts would be no alerts' }).waitFor()
  await shot(page, '2-why')
  // What a reason proposes comes to what it says.
  const because = reasons.locator('li', { hasText: 'over within 5 min' })
  const promised = (await because.innerText()).match(/it would be ([\d,]+) alert/)[1].replaceAll(',', '')
  await because.getByRole('button', { name: /Look at/ }).click()
  await page.waitForURL(/[?&]for=/)
  assert.equal((await reads(page)).Alerts, promised)
  await page.getByRole('button', { name: 'As it is' }).click()

  // Once it was really bad: a drag across the graph says when.
  await page.goto(alertd.url + path('ShopSlow', `&inc=${inc().split(',').slice(0, 2).join(',')}`))
  await page.waitForSelector('.tune-incidents li')
  const graph = await page.locator('.tune-graph').boundingBox()
  const x = (ms) => graph.x + 52 + ((ms - made.startMs) / (made.endMs - made.startMs)) * (graph.width - 62)
  const third = made.bad[2]
  await page.mouse.move(x(Date.parse(third.from)) - 4, graph.y + 60)
  await page.mouse.down()
  await page.mouse.move(x(Date.parse(third.to)) + 8, graph.y + 70, { steps: 4 })
  await page.mouse.up()
  await shot(page, '3-it-was-bad-then')
  await page.getByRole('button', { name: 'It was bad then' }).click()
  await page.waitForFunction(() => document.querySelectorAll('.tune-incidents li').length === 3)
  assert.equal(new URL(page.url()).searchParams.get('inc').split(',').length, 3, 'the address has it')

  // A better setting, and what it would have cost: alerts, notifications, pages apart.
  await page.locator('#main').focus()
  await page.keyboard.press('s')
  await page.waitForURL(/[?&]for=/)
  await rest(page)
  const better = await reads(page)
  assert.ok(Number(better.Alerts) < Number(noisy.Alerts) / 5, `better: ${JSON.stringify(better)}`)
  assert.equal(better['Incidents found'], '3 of 3')
  const paged = await alertd.post(`${V1}/tunings/pages`, { rule: made.ids.ShopSlow, from: new Date(made.startMs).toISOString(), to: new Date(made.endMs).toISOString(), threshold: Number(new URL(page.url()).searchParams.get('t') ?? 0.8), for_ms: parseInt(new URL(page.url()).searchParams.get('for')) * 60_000 })
  assert.deepEqual([better.Alerts, better.Notifications, better.Pages], [paged.alerts, paged.notifications, paged.n_pages].map(String), 'the three counts are those of the simulation')
  await page.locator('.code .added').first().waitFor()
  assert.match(await page.locator('.told-one').first().innerText(), /answers after/)
  await picture(page, 'tune-better-light-1280')
  await page.getByRole('button', { name: 'Save as a new version' }).click()
  await page.getByText(/Saved as version 2/).waitFor()
  await shot(page, '4-saved')
  const rule = await alertd.get(`${V1}/rules/${made.ids.ShopSlow}`)
  assert.equal(rule.version, 2)
  assert.ok(page.url().includes(`for=${rule.for_ms / 60_000}m`))
  await forgive(page)
  await assertClean(page, 'tuned')
  await page.context().close()
  await alertd.importRules(TUNING_RULES, 'rules/shop/latency.yml')
})

test('a candidate beside the rule: started here, seen on its page and the rule\'s, ended', async () => {
  const page = await tuned(path('ShopSlow', `&inc=${inc()}&t=1&for=5m`))
  await rest(page)
  await page.getByRole('button', { name: 'Try beside it, silently' }).click()
  await page.getByRole('link', { name: 'What it changes, page by page' }).click()
  await page.getByText('Page by page').waitFor()
  assert.match(await page.locator('pre.code').innerText(), /\+.*> 1\n[^]*\+ +for: 5m/)
  assert.equal(await page.locator('table.candidate-sides tbody tr').count(), 2)
  for (const [theme, width] of [['light', 1280], ['dark', 1280], ['light', 390]]) {
    await page.setViewportSize({ width, height: 900 })
    await inTheme(page, theme)
    await picture(page, `canary-${theme}-${width}`)
    if (width > 600) await assertAccessible(page, `canary ${theme}`)
    await assertClean(page, `canary ${theme} ${width}`)
  }
  await page.setViewportSize({ width: 1280, height: 900 })
  await page.goto(`${alertd.url}/rules/${made.ids.ShopSlow}`)
  await page.getByText('A candidate runs beside it').waitFor()
  await page.getByRole('link', { name: 'Page by page' }).click()
  await page.getByRole('button', { name: 'End it' }).click()
  await page.getByText('Nothing runs beside this rule').waitFor()
  assert.deepEqual((await alertd.get(`${V1}/canaries`)).canaries, [])
  await assertClean(page, 'ended')
  await page.context().close()
})

test('a rule with two thresholds is written, saved, and is a text that loads', async () => {
  const page = await tuned(path('ShopSlow', `&inc=${inc()}`))
  await rest(page)
  await page.getByRole('button', { name: 'Find the two and write it' }).click()
  const panel = page.locator('.panel', { hasText: 'Two thresholds' })
  await panel.getByText('Run step by step with its own ALERTS in sight it fires as often.').waitFor()
  const shown = await page.getByLabel('The rule with two thresholds').innerText()
  await panel.getByRole('button', { name: 'Save it as a new version' }).click()
  await page.getByText(/Saved as version \d+/).waitFor()
  const rule = await alertd.get(`${V1}/rules/${made.ids.ShopSlow}`)
  assert.match(rule.expr, / or \(request_p99_seconds\{job="shop"\} > [\d.]+ and on \(instance, job\) ALERTS\{alertname="ShopSlow", alertstate="firing"\}\)$/)
  assert.equal(rule.for_ms, 0)
  assert.ok(shown.includes(rule.expr), 'what was shown is what was saved')
  if (CTL) {
    const file = join(alertd.folder, 'two.yml')
    writeFileSync(file, `groups:\n- name: latency\n  interval: 1m\n  rules:\n${rule.versions[0].yaml.split('\n').map((line) => `  ${line}`).join('\n')}\n`)
    execFileSync(CTL, ['check', 'rules', file])
  }
  // The page goes on with what was saved.
  await page.waitForFunction(() => !location.search.includes('two='))
  await page.waitForFunction(() => document.querySelector('.tune-expr').textContent.includes('ALERTS'))
  await forgive(page)
  await assertClean(page, 'two thresholds')
  await page.context().close()
  await alertd.importRules(TUNING_RULES, 'rules/shop/latency.yml')
})

test('a threshold within: its line is dragged, and keep_firing_for is in its cells', async () => {
  const page = await tuned(path('ManySlow', `&inc=${inc()}&move=2`))
  await rest(page)
  assert.match(await page.locator('.tune-legend').innerText(), /6 series within; alerts of 1 series/)
  const asked = []
  page.on('request', (request) => asked.push(request.url()))
  await page.locator('#main').focus()
  await page.keyboard.press('l')
  const before = await reads(page)
  for (let i = 0; i < 4; i++) await page.keyboard.press('PageDown')
  const after = await reads(page)
  assert.notEqual(after.Alerts, before.Alerts)
  await page.getByLabel('Keep firing for').selectOption(String(60 * 60_000))
  const kept = await reads(page)
  assert.ok(Number(kept.Alerts) <= Number(after.Alerts))
  assert.deepEqual(asked.filter((url) => /tunings$/.test(url)), [], 'the past is not read anew for it')
  await page.waitForURL(/keep=1h/)
  await rest(page)
  const listed = (await page.locator('.panel-aside', { hasText: /alerts? at/ }).innerText()).match(/^([\d,]+)/)[1]
  assert.equal(listed.replaceAll(',', ''), kept.Alerts, 'alertd counts the same')
  await forgive(page)
  await assertClean(page, 'within')
  await page.context().close()
})

test('samples that came late: chosen, in words, in the address', async () => {
  const page = await tuned(path('ShopSlow', `&inc=${inc()}`))
  await rest(page)
  await page.getByLabel('Samples came').selectOption('2m late')
  await page.waitForURL(/lag=2m/)
  await page.locator('.tune-legend', { hasText: 'each evaluation saw what had come 2m before it' }).waitFor()
  await rest(page)
  assert.ok(await page.getByRole('button', { name: 'Make a unit test' }).isDisabled())
  const theirs = await alertd.post(`${V1}/tunings/episodes`, { rule: made.ids.ShopSlow, from: new Date(made.startMs).toISOString(), to: new Date(made.endMs).toISOString(), ingest_lag_ms: 120_000 })
  assert.equal((await reads(page)).Alerts, String(theirs.alerts))
  const again = await tuned(new URL(page.url()).pathname + new URL(page.url()).search)
  assert.equal(await again.getByLabel('Samples came').inputValue(), '120000', 'the address is the state')
  await again.context().close()
  await forgive(page)
  await assertClean(page, 'late')
  await page.context().close()
})

test('a drill as the past: found on the page, its trouble is the incident, and back', async () => {
  await alertd.importRules(readFileSync(`${ROOT}/rules/host/alerts.yml`, 'utf8'), 'host/alerts.yml')
  const rule = (await alertd.get(`${V1}/rules`)).groups.flatMap((group) => group.rules).find((one) => one.name === 'HostDiskFillsUp')
  const page = await tuned(`/rules/${rule.id}/tune`)
  await page.getByText('Nothing of it has a value in this time').waitFor() // a drill is what it can be tried on at once
  await page.getByText('Try it on a drill').focus()
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: /^When nobody does anything ?, The disk that fills/ }).click()
  await page.waitForURL(/drill=01-disk-filling/)
  await rest(page)
  await page.locator('.tune-past', { hasText: 'as it goes when nobody does anything' }).waitFor()
  assert.equal((await reads(page))['Incidents found'], '1 of 1')
  await page.getByText('found after 38 min').waitFor()
  assert.equal(await page.locator('.tune-incidents a').getAttribute('href'), '/drills?drill=01-disk-filling')
  assert.equal(await page.locator('.tune-reasons').count(), 0, 'three hours say nothing of how often')
  for (const [theme, width] of [['light', 1280], ['dark', 1280], ['light', 390]]) {
    await page.setViewportSize({ width, height: 900 })
    await inTheme(page, theme)
    await picture(page, `tune-drill-${theme}-${width}`)
    if (width > 600) await assertAccessible(page, `tune a drill ${theme}`)
    await forgive(page)
    await assertClean(page, `tune a drill ${theme} ${width}`)
  }
  await page.setViewportSize({ width: 1280, height: 900 })
  await page.locator('#main').focus()
  await page.keyboard.press('l')
  await page.keyboard.press('ArrowDown')
  await page.waitForURL(/[?&]t=/)
  const setting = new URL(page.url()).searchParams.get('t')
  await page.getByRole('link', { name: 'The rule’s own past' }).click()
  await page.getByText('Nothing of it has a value in this time').waitFor()
  assert.equal(await page.locator('.tune-past').count(), 0)
  assert.deepEqual([new URL(page.url()).searchParams.get('t'), new URL(page.url()).searchParams.has('drill')], [setting, false], 'the setting goes with one')
  await page.goto(`${alertd.url}/rules/${rule.id}/tune?drill=no-such-one`)
  await page.locator('.trouble', { hasText: "there is no drill 'no-such-one'" }).waitFor()
  await page.getByRole('link', { name: 'The rule’s own past' }).click()
  await page.getByText('Nothing of it has a value in this time').waitFor()
  assert.equal(await page.locator('.trouble').count(), 0)
  page.noticed.length = 0
  await page.context().close()
})

test('a finger moves the line, and the page still scrolls beside it', async () => {
  const page = await tuned(path('ShopSlow', `&inc=${inc()}`), { width: 390 })
  await rest(page)
  const line = page.locator('.tune-line')
  await line.scrollIntoViewIfNeeded()
  const box = await line.boundingBox()
  const before = await line.getAttribute('aria-valuenow')
  const graph = line.locator('..')
  const graphBefore = await graph.boundingBox()
  const devtools = await page.context().newCDPSession(page)
  const touch = (type, y) => devtools.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x: box.x + 120, y }] })
  const y = box.y + box.height / 2
  await touch('touchStart', y)
  for (let i = 1; i <= 8; i++) await touch('touchMove', y - i * 6)
  await touch('touchEnd')
  assert.notEqual(await line.getAttribute('aria-valuenow'), before)
  // Words above it may take a line more or less now, for which the browser makes up; the finger went 48 px.
  assert.ok(Math.abs((await graph.boundingBox()).y - graphBefore.y) < 24, 'the line moves, not the page')
  await page.waitForURL(/[?&]t=/)
  await page.context().close()
})

test('somebody else saved meanwhile: nothing is overwritten, and it is said', async () => {
  const page = await tuned(path('ShopSlow', '&t=1.5&for=5m'))
  await rest(page)
  const now = await alertd.get(`${V1}/rules/${made.ids.ShopSlow}`)
  await alertd.call('PUT', `${V1}/rules/${made.ids.ShopSlow}`, { version: now.version, yaml: now.versions[0].yaml.replace('0.8', '0.85') })
  await page.getByRole('button', { name: 'Save as a new version' }).click()
  await page.locator('.trouble', { hasText: 'somebody changed ShopSlow meanwhile' }).waitFor()
  assert.match((await alertd.get(`${V1}/rules/${made.ids.ShopSlow}`)).expr, /0\.85/)
  page.noticed.length = 0 // the browser itself reports the 409
  await page.context().close()
  await alertd.importRules(TUNING_RULES, 'rules/shop/latency.yml')
})

test('a drag asks for nothing, and everything follows it', async () => {
  const page = await tuned(path('ShopSlow', `&inc=${inc()}`))
  await rest(page)
  const asked = []
  page.on('request', (request) => asked.push(request.url()))
  // Each event's time, and when the frame that shows it was done.
  await page.evaluate(() => {
    window.frames = []
    addEventListener('pointermove', (event) => {
      const at = event.timeStamp
      requestAnimationFrame(() => { const channel = new MessageChannel(); channel.port1.onmessage = () => window.frames.push(performance.now() - at); channel.port2.postMessage(0) })
    }, true)
  })
  const line = page.locator('.tune-line')
  const box = await line.boundingBox()
  const before = await reads(page)
  const seen = new Set()
  await page.mouse.move(box.x + 200, box.y + box.height / 2)
  await page.mouse.down()
  asked.length = 0
  for (let i = 1; i <= 60; i++) {
    await page.mouse.move(box.x + 200, box.y + box.height / 2 - i * 1.5)
    if (i % 10 === 0) seen.add((await reads(page)).Alerts)
  }
  assert.deepEqual(asked.filter((url) => /tunings|query/.test(url)), [], 'nothing was asked while the hand was on it')
  await page.mouse.up()
  assert.ok(seen.size > 3, `the read-outs followed: ${[...seen]} from ${before.Alerts}`)
  const frames = (await page.evaluate(() => window.frames)).sort((a, b) => a - b)
  console.log(`# drag, 6 series: ${frames.length} moves, median ${frames[frames.length >> 1].toFixed(1)} ms, 95 % ${frames[Math.floor(frames.length * 0.95)].toFixed(1)} ms from the event to the end of its frame`)
  await page.waitForURL(/[?&]t=/)
  await rest(page)
  assert.ok(asked.some((url) => url.includes('/tunings/episodes')), 'and asked at rest')
  const { searchParams } = new URL(page.url())
  const again = await tuned(new URL(page.url()).pathname + new URL(page.url()).search)
  assert.deepEqual(await reads(again), await reads(page), 'the address is the state')
  assert.ok(Number(searchParams.get('t')) > 0.8)
  await forgive(page)
  await assertClean(page, 'dragged')
  await again.context().close()
  await page.context().close()
})

test('what the page says is what alertctl says', { skip: !CTL && 'ALERTCTL is not set' }, async () => {
  const page = await tuned(path('ShopSlow', `&inc=${inc()}`), {})
  await page.evaluate(() => localStorage.setItem('zone', 'utc'))
  const [rules, bad] = [join(alertd.folder, 'rules.yml'), join(alertd.folder, 'bad.csv')]
  writeFileSync(rules, TUNING_RULES)
  writeFileSync(bad, made.bad.map((one) => `${one.from},${one.to}\n`).join(''))
  for (const [t, held] of [['0.8', '1m'], ['1', '5m'], ['1.2', '0s']]) {
    await page.goto(alertd.url + path('ShopSlow', `&inc=${inc()}&t=${t}&for=${held}`))
    await page.waitForSelector('.tune-reads')
    const ours = await reads(page)
    const theirs = JSON.parse(execFileSync(CTL, ['tune', rules, '--rule=ShopSlow', `--from=${new Date(made.startMs).toISOString()}`, `--to=${new Date(made.endMs).toISOString()}`, `--threshold=${t}`, `--for=${held}`, `--incidents=${bad}`, '--json', `--url=${alertd.url}`], { env: { ...process.env, ALERTD_TOKEN: alertd.token }, maxBuffer: 1 << 28 }).toString())
    const cell = theirs.cells.find((one) => one.threshold === Number(t) && one.for_ms === (held === '0s' ? 0 : parseInt(held) * 60_000))
    const nights = theirs.alerts.filter((one) => { const hour = new Date(one.fired_at).getUTCHours(); return hour < 7 || hour >= 22 }).length
    assert.deepEqual([ours.Alerts, ours['About nothing'], ours['At night'], ours['Incidents found']].map(String), [theirs.alerts.length, cell.alerts - cell.true_alerts, nights, `${cell.incidents_found} of ${theirs.incidents}`].map(String), `> ${t} for ${held}`)
  }
  await page.context().close()
})

test('the tables behind the pictures say what the pictures show', async () => {
  const page = await tuned(path('ShopSlow', `&inc=${inc()}&t=1.2&for=5m`))
  await rest(page)
  const rowsOf = async () => {
    const table = page.locator('.panel[aria-label="The past"] .tune-table')
    await table.locator('summary').click()
    return table.locator('tbody tr').evaluateAll((list) => list.map((row) => [...row.cells].map((cell) => cell.textContent)))
  }
  let rows = await rowsOf()
  assert.equal(String(rows.reduce((sum, row) => sum + Number(row[3]), 0)), (await reads(page)).Alerts, 'every alert is in one of the times')
  assert.equal(rows.filter((row) => row[4] === 'yes').length, 3)
  // A rule that is evaluated anew for each threshold: what lies within is drawn, its alerts are its own.
  await page.goto(alertd.url + path('ManySlow', `&inc=${inc()}&move=2`))
  await page.waitForSelector('.tune-reads')
  await rest(page)
  rows = await rowsOf()
  assert.equal(String(rows.reduce((sum, row) => sum + Number(row[3]), 0)), (await reads(page)).Alerts)
  assert.ok(rows.length > 0 && rows.every((row) => row[4] === 'yes'))
  await page.context().close()
})

test('by keyboard alone: the line, the map, the table, why', async () => {
  const page = await tuned(path('ShopSlow', `&inc=${inc()}`))
  await rest(page)
  await page.locator('#main').focus()
  await page.keyboard.press('l')
  const line = page.getByRole('slider', { name: 'Threshold' })
  const first = await line.getAttribute('aria-valuetext')
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('ArrowUp')
  assert.notEqual(await line.getAttribute('aria-valuetext'), first)
  assert.ok(Number(await line.getAttribute('aria-valuenow')) > 0.8)
  await page.keyboard.press('Home')
  assert.equal(await line.getAttribute('aria-valuetext'), '> 0.8 for 1m')
  await page.locator('.tune-heat').focus()
  const before = await reads(page)
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowUp']) await page.keyboard.press(key)
  await page.waitForURL(/[?&]for=3m/)
  assert.ok(Number((await reads(page)).Alerts) < Number(before.Alerts))
  await page.waitForFunction(() => /incidents found/.test(document.querySelector('[aria-live="polite"]').textContent))
  await page.keyboard.press('End')
  await page.waitForFunction(() => document.querySelector('.tune-reads').textContent.includes('3 of 3'))
  // When it was bad, without a hand on the graph.
  await page.getByText('Say when it was bad').focus()
  await page.keyboard.press('Enter')
  await page.getByLabel('From', { exact: true }).fill('2020-01-01T00:00')
  await page.getByLabel('to', { exact: true }).fill('2020-01-01T01:00')
  await page.keyboard.press('Enter')
  await page.getByText('not within the time that is looked at').waitFor()
  for (const [label, ms] of [['From', made.startMs + 3_600_000], ['to', made.startMs + 7_200_000]]) {
    const text = await page.evaluate((at) => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16), ms)
    await page.getByLabel(label, { exact: true }).fill(text)
  }
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelectorAll('.tune-incidents li').length === 4)
  await page.getByRole('button', { name: /^Remove/ }).first().focus()
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelectorAll('.tune-incidents li').length === 3)
  await rest(page)
  await page.getByText('The map as a table').focus()
  await page.keyboard.press('Enter')
  const cell = page.locator('.tune-table td button').first()
  await cell.focus()
  const words = await cell.getAttribute('aria-label')
  await page.keyboard.press('Enter')
  assert.ok(words.includes(`: ${(await reads(page)).Alerts} alerts`), `${words} beside ${(await reads(page)).Alerts}`)
  await page.keyboard.press('Escape')
  await page.locator('#main').focus()
  await page.keyboard.press('o')
  await page.waitForFunction(() => document.querySelector('.tune-reads').textContent.includes('as it is'))
  await page.context().close()
})

test('a threshold is typed: nothing moves until it is entered, then it is a setting of the map', async () => {
  const page = await tuned(path('ShopSlow', `&inc=${inc()}`))
  await rest(page)
  const before = await reads(page)
  const asked = []
  page.on('request', (request) => { if (request.url().endsWith('/tunings')) asked.push(request.postDataJSON()) })
  const field = page.getByRole('spinbutton', { name: 'Threshold' })
  await field.selectText()
  await field.pressSequentially('0.87654', { delay: 30 })
  await rest(page)
  assert.deepEqual([await field.inputValue(), asked, await reads(page)], ['0.87654', [], before])
  await field.press('Enter')
  await page.waitForURL(/[?&]t=0\.87654/)
  await page.waitForFunction(() => document.querySelector('.tune-line').getAttribute('aria-valuenow') === '0.87654')
  assert.equal(asked.length, 1)
  assert.equal(await field.inputValue(), '0.87654')
  await field.fill('')
  await field.press('Enter')
  await rest(page)
  assert.equal(await page.locator('.tune-line').getAttribute('aria-valuenow'), '0.87654')
  await page.keyboard.press('Escape')
  await page.context().close()
})

test('why at an instant, a unit test, and keep_firing_for', async () => {
  const page = await tuned(path('ShopSlow', `&inc=${inc()}&t=1&for=5m&at=${seconds(made.bad[0].from) + 120}`))
  await page.locator('.tune-why').waitFor()
  const why = page.locator('.panel', { hasText: 'Why, at' })
  assert.match(await why.innerText(), /5 would wait[^]*every 1m[^]*true since \d\d:\d\d:\d\d, would fire at/)
  await rest(page)
  const apart = Number((await reads(page)).Alerts)
  await page.getByRole('button', { name: 'Make a unit test' }).click()
  const test = await page.getByLabel('A unit test').innerText()
  assert.match(test, /alertname: "ShopSlow"/)
  if (CTL) {
    const rules = join(alertd.folder, 'latency.yml')
    const yaml = await page.getByLabel('The rule as YAML').innerText()
    writeFileSync(rules, `groups:\n- name: latency\n  interval: 1m\n  rules:\n${yaml.split('\n').filter(Boolean).map((line) => `  ${line.slice(1)}`).join('\n')}\n`)
    writeFileSync(join(alertd.folder, 'latency_test.yml'), test)
    execFileSync(CTL, ['test', 'rules', join(alertd.folder, 'latency_test.yml')])
  }
  await page.getByLabel('Keep firing for').selectOption(String(60 * 60_000))
  await page.waitForURL(/keep=1h/)
  assert.ok(Number((await reads(page)).Alerts) <= apart)
  await rest(page)
  await page.waitForFunction(() => document.querySelector('.tune-rule').textContent.includes('keep_firing_for: 1h'))
  const shown = (await page.locator('.panel-aside', { hasText: /alerts? at/ }).innerText()).match(/^([\d,]+)/)[1]
  assert.equal(shown.replaceAll(',', ''), (await reads(page)).Alerts, 'alertd counts the same with keep_firing_for')
  await forgive(page)
  await assertClean(page, 'why')
  await page.context().close()
})

test('what it reads from dies half-way: it says so, what is shown is not taken for new, and it goes on', async () => {
  const page = await tuned(path('ShopSlow', `&inc=${inc()}`))
  await rest(page)
  await page.route(/tunings\/(episodes|pages|preview)$/, (route) => route.abort())
  await page.locator('#main').focus()
  await page.keyboard.press('s')
  const alerts = page.locator('.panel', { hasText: 'Alert by alert' })
  await alerts.locator('.trouble', { hasText: 'these are of another setting' }).waitFor()
  await page.locator('.panel', { hasText: 'Who would have been paged' }).locator('.trouble').waitFor()
  assert.ok(!('Pages' in await reads(page)), 'no number that is not known')
  assert.ok(await page.getByRole('button', { name: 'Save as a new version' }).isDisabled(), 'a text of another setting is not saved')
  assert.equal((await reads(page))['Incidents found'], '3 of 3', 'what the browser has goes on')
  await picture(page, 'tune-trouble-light-1280')
  await assertAccessible(page, 'trouble')
  await page.unroute(/tunings\/(episodes|pages|preview)$/)
  await alerts.getByRole('button', { name: 'Try again' }).click()
  await page.waitForFunction(() => !document.querySelector('.tune-list')?.closest('.panel').querySelector('.trouble'))

  // The past itself: what was read before stays, and is said to be older.
  await page.route(/tunings$/, (route) => route.abort())
  await page.getByRole('button', { name: '7 days', exact: true }).click()
  await page.locator('.trouble', { hasText: 'what is shown is older' }).waitFor()
  await page.unroute(/tunings$/)
  await page.locator('.trouble', { hasText: 'what is shown is older' }).getByRole('button').click()
  await page.waitForFunction(() => !document.querySelector('.trouble'))
  page.noticed.length = 0 // the browser itself reports what was cut off

  await page.goto(`${alertd.url}/rules/987654/tune`)
  await page.locator('.trouble', { hasText: 'could not be tried on its past' }).waitFor()
  await page.goto(`${alertd.url}/rules/${made.ids.ShopSlow}/tune?from=yesterday-ish`)
  await page.locator('.trouble', { hasText: 'the times in the address are none' }).waitFor()
  await page.context().close()
})

for (const [name, where, words] of [
  ['nothing', () => path('NeverSeen'), /Nothing of it has a value/],
  ['presence', () => path('BackupIsSilent', `&inc=${inc()}&fault=any`), /Held for[^]*drop for 1 min/],
  ['vectors', () => path('ShopBehindItsLimit', `&inc=${inc()}`), /Factor/],
  ['again', () => path('ManySlow', `&inc=${inc()}&move=2`), /the rule is evaluated anew for each threshold/],
  ['together', () => path('BudgetBurns', `&inc=${inc()}`), /Factor/],
  ['plain', () => path('ShopSlow'), /fewest alerts would be no alerts/],
  ['noisy', () => path('ShopSlow', `&inc=${inc()}&fault=scale&two=1`), /as often\.[^]*The smallest that is caught nine times of ten: times[^]*Look at it/],
]) {
  test(`looks: ${name}`, async () => {
    for (const [theme, width] of name === 'noisy' ? [['light', 1280], ['dark', 1280], ['light', 390]] : [[name === 'vectors' ? 'dark' : 'light', 1280]]) {
      const page = await tuned(where(), { theme, width })
      await rest(page)
      if (where().includes('fault=')) await page.locator('.tune-outages').waitFor() // asked again after a while when alertd is busy
      assert.match(await page.locator('.tune').innerText(), words)
      await picture(page, `tune-${name}-${theme}-${width}`)
      await assertAccessible(page, `tune ${name}`)
      await forgive(page)
      await assertClean(page, `tune ${name}`)
      await page.context().close()
    }
  })
}

// The last one: the day is not put back.
test('a day that is set aside as damaged is named above what is made of the rest', async () => {
  const whole = await tuned(path('ShopSlow'))
  assert.equal(await whole.locator('.not-read').count(), 0)
  await whole.context().close()
  const day = new Date(made.startMs + 3 * 86_400_000).toISOString().slice(0, 10)
  const file = join(alertd.folder, 'data/samples', `${day}.db`)
  await alertd.stop()
  renameSync(file, `${file}.damaged-1`)
  await alertd.run()
  for (const [theme, width] of [['light', 1280], ['dark', 1280], ['light', 390]]) {
    const page = await tuned(path('ShopSlow'), { theme, width })
    await rest(page)
    assert.match(await page.locator('.not-read').innerText(), new RegExp(`Not all of it could be read[^]*partition ${day} is quarantined \\(${day}\\.db\\.damaged-1\\)$`))
    await picture(page, `tune-missing-${theme}-${width}`)
    await assertAccessible(page, 'a day is missing')
    await forgive(page)
    await assertClean(page, 'a day is missing')
    await page.context().close()
  }
  const nothing = await tuned(path('NeverSeen'))
  assert.match(await nothing.locator('.tune').innerText(), /Nothing of what could be read has a value/)
  await nothing.context().close()
})
