// Using it: logging in, acknowledging, noting, resolving, asking, writing, and what is shown
// when alertd falls silent. Each deed is checked in alertd, not only on the page.

import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Alertd, seed, until } from './daemon.mjs'
import { assertAccessible, assertClean, launch, open, settle } from './page.mjs'
import { pageDan, seedDan } from './shadowing.mjs'

let alertd, browser, made, dan
before(async () => {
  ;[alertd, browser] = await Promise.all([new Alertd().start(), launch()])
  made = await seed(alertd)
})
after(async () => {
  await browser?.close()
  await alertd?.close()
})

const incident = (key) => alertd.get(`/api/alertd/v1/incidents/${key}`)
const at = async (options) => {
  const page = await open(browser, alertd, options)
  await settle(page)
  return page
}

test('logging in: a wrong token is told, a right one leads to where one wanted to go', async () => {
  const page = await open(browser, alertd, { token: null, path: '/rules?show=firing' })
  await page.waitForURL(/\/login/)
  await page.getByLabel('Access token').fill('wb_wrong')
  await page.keyboard.press('Enter')
  await page.getByText('alertd does not know this token').waitFor()
  page.noticed.length = 0 // the browser itself reports the 401
  await page.getByLabel('Access token').fill(alertd.token)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.waitForURL(/\/rules\?show=firing$/)
  await settle(page)
  await assertClean(page, 'after login')
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.waitForURL(/\/login/)
  await page.context().close()
})

test('a link may carry the token behind #, and it is gone from the address', async () => {
  const page = await open(browser, alertd, { token: null, path: `/login#token=${alertd.token}` })
  await page.waitForURL(`${alertd.url}/`)
  await settle(page)
  await assertClean(page, 'after the link')
  await page.goBack().catch(() => undefined)
  assert.ok(!page.url().includes(alertd.token))
  await page.context().close()
})

test('a login link leads nowhere else', async () => {
  const page = await open(browser, alertd, { path: '/login?next=//evil.example/' })
  await page.waitForURL(`${alertd.url}/`)
  await page.context().close()
})

test('a token that may only read gets no buttons', async () => {
  const { token } = await alertd.post('/api/alertd/v1/tokens', { name: 'screen', scopes: ['read'] })
  const page = await at({ token, path: `/i/${made.shop}` })
  assert.equal(await page.getByRole('button', { name: 'Acknowledge' }).count(), 0)
  assert.equal(await page.getByLabel('Note for the timeline').count(), 0)
  await page.context().close()
})

test('the tab says how many wait, and the wall says it in words', async () => {
  const page = await at({})
  await page.waitForFunction(() => document.title.startsWith('(1)'))
  assert.match(await page.getByRole('heading', { level: 1 }).innerText(), /1 incident needs someone/)
  await page.context().close()
})

test('keys: g goes, j and k move, ? lists, Escape closes, letters are dead in inputs', async () => {
  const page = await at({})
  for (const [keys, path] of [['ga', '/alerts'], ['gr', '/rules'], ['gn', '/agents'], ['ge', '/explore'], ['gp', '/pm'], ['gi', '/i'], ['gw', '/']]) {
    await page.keyboard.type(keys)
    await page.waitForURL(alertd.url + path)
    await settle(page)
    await page.locator('#main').focus()
  }
  await page.keyboard.type('gi')
  await page.waitForURL(`${alertd.url}/i`)
  await page.waitForSelector('[data-row]')
  await page.locator('#main').focus()
  await page.keyboard.press('j')
  const first = await page.evaluate(() => document.activeElement.getAttribute('href'))
  await page.keyboard.press('j')
  const second = await page.evaluate(() => document.activeElement.getAttribute('href'))
  assert.notEqual(first, second)
  await page.keyboard.press('k')
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('href')), first)
  await page.keyboard.press('?')
  await page.waitForSelector('dialog[open]')
  await page.keyboard.press('Escape')
  await page.waitForSelector('dialog[open]', { state: 'detached' }).catch(() => undefined)
  assert.equal(await page.locator('dialog[open]').count(), 0)
  await page.locator('#main').focus()
  await page.keyboard.press('/')
  await page.keyboard.type('gwa')
  assert.equal(await page.locator('[data-filter]').inputValue(), 'gwa')
  assert.match(page.url(), /\/i\?q=gwa$/)
  await page.context().close()
})

test('explain: a toggle and its key show what each part of a query costs, and the address keeps it', async () => {
  const page = await at({ path: `/explore?expr=${encodeURIComponent('sum by (instance) (rate(probe_duration_seconds[5m]))')}&from=now-30m` })
  const toggle = page.getByRole('button', { name: 'Explain', exact: true })
  assert.equal(await toggle.getAttribute('aria-pressed'), 'false')
  assert.equal(await page.getByRole('heading', { name: 'What it costs' }).count(), 0)
  await toggle.click()
  await page.waitForSelector('table.explain')
  assert.equal(await toggle.getAttribute('aria-pressed'), 'true')
  assert.match(page.url(), /[?&]explain=1/)
  assert.deepEqual(await page.locator('table.explain tbody code').allInnerTexts(), ['sum by (instance)', 'rate()', 'probe_duration_seconds[5m]'])
  assert.equal(await page.locator('table.explain .severity').count(), 1, 'one part is the hottest')
  assert.equal(await page.locator('tr.hottest .severity').innerText(), 'hottest')
  const edges = await page.locator('table.explain tbody code').evaluateAll((codes) => codes.map((code) => code.getBoundingClientRect().left))
  assert.ok(edges[0] < edges[1] && edges[1] < edges[2], `deeper is further in: ${edges}`)
  const samples = async () => Number((await page.locator('table.explain tbody tr').first().locator('td').last().innerText()).replaceAll(',', ''))
  assert.ok(await samples() > 300)
  await page.getByRole('button', { name: 'Table', exact: true }).click()
  await page.waitForFunction(() => Number([...document.querySelectorAll('table.explain tbody tr')][0]?.lastElementChild.textContent.replaceAll(',', '')) < 100)
  await assertClean(page, 'explained')
  await page.locator('#main').focus()
  await page.keyboard.type('te')
  await page.waitForSelector('table.explain', { state: 'detached' })
  assert.doesNotMatch(page.url(), /explain/)
  await page.context().close()
})

test("a rule's page: its last evaluations, and what they read", async () => {
  const page = await at({ path: `/rules/${made.rule}` })
  await page.waitForSelector('table.evaluations tbody tr')
  const { evaluations, samples, series } = await alertd.get(`/api/alertd/v1/rules/${made.rule}`)
  assert.ok(evaluations.length > 0 && samples > 0)
  assert.match(await page.locator('dl.facts').first().innerText(), new RegExp(`samples? of ${series} series`))
  assert.match(await page.locator('table.evaluations tbody tr').first().innerText(), /Fine/)
  await assertClean(page, 'rule')
  await page.context().close()
})

test('a walk by Tab: the skip link first, every view reachable, focus always visible', async () => {
  const page = await at({ path: '/rules' })
  await page.evaluate(() => { document.activeElement?.blur?.(); window.getSelection()?.removeAllRanges() })
  const seen = []
  for (let i = 0; i < 20; i++) {
    await page.keyboard.press('Tab')
    seen.push(await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement)
      return { words: document.activeElement.textContent.trim() || document.activeElement.getAttribute('aria-label'), ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 }
    }))
  }
  assert.equal(seen[0].words, 'Skip to the view')
  for (const name of ['Wall', 'Incidents', 'Alerts', 'Rules', 'Agents', 'Explore', 'Postmortems']) assert.ok(seen.some((one) => one.words.startsWith(name)), name)
  assert.deepEqual(seen.filter((one) => !one.ring), [], 'focus without a ring')
  await page.context().close()
})

test('why: from an alert and from an incident, now and before it was', async () => {
  const page = await at({ path: '/alerts' })
  await page.locator('.alert-group', { hasText: 'ShopDown' }).getByRole('button', { name: 'Why?' }).click()
  await page.locator('.why-words', { hasText: 'ShopDown was sent to team by webhook' }).waitFor()
  await page.locator('.why-ladder li.passes', { hasText: 'the root route takes it: receiver team' }).waitFor()
  const before = new Date(Date.now() - 3_600_000)
  const local = new Date(before.getTime() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
  await page.getByLabel('At, your time').fill(local)
  await page.locator('.why', { hasText: 'by what was so then' }).waitFor()
  assert.doesNotMatch(await page.locator('.why-words').innerText(), /was sent/)
  await page.getByRole('button', { name: 'Now' }).click()
  await page.locator('.why-words', { hasText: 'was sent' }).waitFor()
  await page.keyboard.press('Escape')
  await page.waitForSelector('.why', { state: 'detached' })
  await page.goto(`${alertd.url}/i/${made.disk}`)
  await settle(page)
  await page.getByRole('button', { name: 'Why?' }).click()
  await page.locator('.why-words', { hasText: 'it is over since' }).waitFor()
  await assertClean(page, 'why')
  await page.context().close()
})

test('filters live in the address', async () => {
  const page = await at({ path: '/alerts' })
  await page.getByLabel('Filter alerts').fill('instance=~checkout')
  await page.waitForURL(/q=instance/)
  await page.getByRole('button', { name: /^Firing/ }).click()
  await page.waitForURL(/state=firing/)
  const again = await at({ path: new URL(page.url()).pathname + new URL(page.url()).search })
  assert.equal(await again.getByRole('heading', { name: 'ShopDown' }).count(), 1)
  assert.equal(await again.getByRole('heading', { name: 'ShopSlow' }).count(), 0)
  await page.context().close()
  await again.context().close()
})

test('one tap says what a page was worth, another takes it back', async () => {
  const page = await open(browser, alertd, { path: `/i/${made.disk}` })
  await settle(page)
  await page.locator('#main').focus()
  await page.keyboard.press('v')
  await page.keyboard.press('n')
  await page.waitForSelector('.worth button[aria-pressed="true"]:has-text("Noise")')
  await page.getByRole('button', { name: 'Useful' }).click()
  await page.waitForSelector('.worth button[aria-pressed="true"]:has-text("Useful")')
  const said = (await alertd.get('/api/alertd/v1/verdicts')).verdicts
  assert.deepEqual(said.map((one) => [one.incident, one.verdict, one.via, one.counts]), [[made.disk, 'useful', 'web', true], [made.disk, 'noise', 'web', false]])
  await page.context().close()
})

test('a key acknowledges, and alertd knows who', async () => {
  const page = await at({ path: `/i/${made.shop}` })
  await page.locator('#main').focus()
  await page.keyboard.press('a')
  await page.getByText('paging stops').waitFor()
  const now = await until('acknowledged', async () => { const one = await incident(made.shop); return one.status === 'acknowledged' && one })
  assert.ok(now.acknowledged_by)
  await page.locator('.incident-head.acknowledged').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Acknowledge' }).count(), 0)
  await assertClean(page, 'after acknowledging')
  await page.context().close()
})

test('a note: n, type, Enter; with a time before it, it is filed then', async () => {
  const page = await at({ path: `/i/${made.shop}` })
  await page.locator('#main').focus()
  await page.keyboard.press('n')
  await page.keyboard.type('Rolling back the deploy')
  await page.keyboard.press('Enter')
  await page.locator('.event', { hasText: 'Rolling back the deploy' }).waitFor()
  const earlier = new Date(Date.now() - 120_000)
  const clock = earlier.toLocaleTimeString('en-GB', { timeZone: 'Europe/Paris', hour: '2-digit', minute: '2-digit' })
  await page.keyboard.type(`${clock} backends went away`)
  await page.getByText('will be filed at').waitFor()
  await page.keyboard.press('Enter')
  await page.locator('.event', { hasText: 'backends went away' }).waitFor()
  const event = (await incident(made.shop)).timeline.find((one) => one.text.includes('backends went away'))
  assert.ok(Math.abs(Date.parse(event.occurred_at) - earlier) < 90_000, event.occurred_at)
  assert.equal(await page.getByLabel('Note for the timeline').inputValue(), '')
  await page.context().close()
})

test('what is typed survives a reload', async () => {
  const page = await at({ path: `/i/${made.shop}` })
  await page.getByLabel('Note for the timeline').fill('half a thou')
  await page.reload()
  await settle(page)
  assert.equal(await page.getByLabel('Note for the timeline').inputValue(), 'half a thou')
  await page.context().close()
})

test('what others do appears by itself, and does not move what the hand is on', async () => {
  const page = await at({ path: `/i/${made.shop}` })
  await page.mouse.move(5, 5)
  await alertd.post(`/api/alertd/v1/incidents/${made.shop}/notes`, { text: 'from elsewhere, seen' })
  await page.locator('.event', { hasText: 'from elsewhere, seen' }).waitFor()
  const row = page.locator('.event', { hasText: 'from elsewhere, seen' })
  await row.hover()
  const before = await row.boundingBox()
  await alertd.post(`/api/alertd/v1/incidents/${made.shop}/notes`, { text: 'from elsewhere, waiting' })
  await page.getByRole('button', { name: /new: show/ }).waitFor()
  assert.equal(await page.locator('.event', { hasText: 'from elsewhere, waiting' }).count(), 0)
  assert.ok(before)
  await page.mouse.move(5, 5)
  await page.locator('.event', { hasText: 'from elsewhere, waiting' }).waitFor()
  await page.context().close()
})

test('resolving waits for its undo, then is done', async () => {
  const page = await at({ path: `/i/${made.shop}` })
  await page.getByRole('button', { name: /^Resolve/ }).click()
  await page.getByRole('button', { name: 'Undo', exact: true }).click()
  await page.waitForTimeout(5500)
  assert.notEqual((await incident(made.shop)).status, 'resolved')
  await page.getByRole('button', { name: /^Resolve/ }).click()
  await until('resolved in alertd', async () => (await incident(made.shop)).status === 'resolved', 10)
  await page.locator('.incident-head.resolved').waitFor()
  await page.context().close()
})

test('explore: a wrong query points at the place', async () => {
  const page = await at({ path: '/explore' })
  await page.getByLabel('PromQL expression').fill('sum(probe_success))')
  await page.keyboard.press('Enter')
  await page.locator('.query-error').waitFor()
  assert.match(await page.locator('.query-error').innerText(), /Line 1, column \d+/)
  await page.getByLabel('PromQL expression').fill('probe_success == 0')
  await page.keyboard.press('Enter')
  await page.locator('.chart-box canvas').waitFor()
  assert.match(page.url(), /expr=probe_success/)
  assert.equal(await page.locator('.query-error').count(), 0)
  await page.context().close()
})

test('explore: metric names are completed', async () => {
  const page = await at({ path: '/explore' })
  await page.getByLabel('PromQL expression').focus()
  await page.keyboard.type('probe_dur')
  await page.getByRole('option', { name: 'probe_duration_seconds' }).waitFor()
  await page.keyboard.press('Tab')
  assert.equal(await page.getByLabel('PromQL expression').inputValue(), 'probe_duration_seconds')
  await page.context().close()
})

test('a section of a postmortem saves itself, previews, and refuses to overwrite', async () => {
  const path = `/api/alertd/v1/postmortems/${made.postmortem}`
  const page = await at({ path: `/pm/${made.postmortem}` })
  await page.getByRole('heading', { name: 'Contributing factors' }).waitFor()
  await page.keyboard.press('n') // the first section that needs somebody
  const summary = page.getByRole('textbox', { name: 'Markdown of Summary' })
  await summary.waitFor()
  await summary.fill('Archiving **failed** silently.')
  await page.locator('.editing .document strong', { hasText: 'failed' }).waitFor()
  await page.getByText('Saved', { exact: true }).waitFor()
  const saved = await alertd.get(path)
  const mine = saved.sections.find((one) => one.id === 'summary')
  assert.equal(mine.body, 'Archiving **failed** silently.')
  assert.equal(mine.state, 'done')

  await summary.press('Control+End')
  await summary.pressSequentially(' Mine.') // not saved yet: who has not typed just sees what others save
  await alertd.call('PUT', `${path}/sections/summary`, { markdown: 'Theirs.', revision: mine.revision })
  await page.getByText('saved a newer version while you wrote').waitFor()
  page.noticed.length = 0 // the browser itself reports the 409
  await page.getByLabel('Their version').getByText('Theirs.').waitFor()
  await page.getByLabel('Your version').getByText('silently. Mine.').waitFor()
  assert.equal((await alertd.get(path)).sections.find((one) => one.id === 'summary').body, 'Theirs.')
  await page.getByRole('button', { name: 'Keep mine' }).click()
  await until('mine is saved', async () => (await alertd.get(path)).sections.find((one) => one.id === 'summary').body.endsWith('Mine.'))
  await assertClean(page, 'postmortem')
  await assertAccessible(page, 'postmortem')
  await page.context().close()
})

const HOSTILE = [
  '[a](javascript:alert(1))', '[a](JaVaScRiPt:alert(1))', '[a](javascript&colon;alert(1))', '[a](&#106;avascript:alert(1))', '[a](java&Tab;script:alert(1))',
  '[a](&#1;javascript:alert(1))', '<javascript:alert(1)>', '[a](data:text/html,<script>alert(1)</script>)', '![x](data:image/svg+xml,<svg/onload=alert(1)>)', '[a](vbscript:msgbox)',
  '<script>fetch("http://evil.example/")</script>', '<img src=x onerror=alert(1)>', '![a"onload="alert(1)](http://evil.example/x.png "t\\"onload=\\"alert(1)")',
  '```"><script>alert(1)</script>\nx\n```', '[a](//evil.example/)', '<iframe src="http://evil.example/"></iframe>', `${'>'.repeat(5000)} deep`,
].join('\n\n')

test('hostile Markdown and labels: nothing runs, nothing is asked for', async () => {
  const path = `/api/alertd/v1/postmortems/${made.postmortem}`
  const section = (await alertd.get(path)).sections.find((one) => one.id === 'lessons')
  await alertd.call('PUT', `${path}/sections/lessons`, { markdown: HOSTILE, revision: section.revision })
  await alertd.post(`${path}/actions`, { text: '<img src=x onerror=alert(1)> "onmouseover="alert(1)', owner: '<script>alert(1)</script>' })
  const page = await at({ path: '/' })
  const asked = []
  const dialogs = []
  page.on('dialog', (dialog) => { dialogs.push(dialog.message()); void dialog.dismiss() })
  page.context().on('request', (request) => { if (!request.url().startsWith(alertd.url) && !request.url().startsWith('data:') && !request.url().startsWith('file:')) asked.push(request.url()) })
  await page.goto(`${alertd.url}/pm/${made.postmortem}`)
  await page.getByRole('heading', { name: /What went well/ }).first().waitFor()
  await page.getByRole('button', { name: /Write What went well/ }).click()
  await page.locator('.editing .document').waitFor()
  const bad = await page.evaluate(() => [...document.querySelectorAll('main *')].flatMap((at) => [...at.attributes].filter((one) => /^on/i.test(one.name) || (/^(href|src|action|formaction)$/i.test(one.name) && !/^(https?:|mailto:|\/(?!\/)|#)/.test(one.value))).map((one) => `${at.tagName} ${one.name}=${one.value}`)))
  assert.deepEqual(bad, [])
  assert.equal(await page.locator('main script, main iframe').count(), 0)

  const html = await (await page.context().request.get(`${alertd.url}${path}/export?format=html`)).text()
  const file = join(mkdtempSync(join(tmpdir(), 'watchbill-export-')), 'postmortem.html')
  writeFileSync(file, html)
  await page.goto(`file://${file}`)
  await page.waitForTimeout(300)
  assert.match(await page.locator('h1').innerText(), /nearly full/)
  assert.equal(await page.locator('script, iframe, img, link').count(), 0)
  assert.deepEqual(await page.evaluate(() => window.refused), [], 'what is not there needs no refusing')
  assert.deepEqual([asked, dialogs], [[], []])
  await page.context().close()
})

test('a document of 200 KB stays smooth', async () => {
  const path = `/api/alertd/v1/postmortems/${made.postmortem}`
  const section = (await alertd.get(path)).sections.find((one) => one.id === 'factors')
  const long = Array.from({ length: 1700 }, (_, i) => `- condition ${i}: the queue of **shard ${i % 32}** was ${i} long when [it](https://example.com/${i}) was read, and nobody`).join('\n').slice(0, 190 * 1024)
  await alertd.call('PUT', `${path}/sections/factors`, { markdown: long, revision: section.revision })
  const page = await at({ path: `/pm/${made.postmortem}` })
  await page.getByRole('button', { name: /Write Contributing/ }).click()
  const area = page.getByRole('textbox', { name: 'Markdown of Contributing factors' })
  await page.locator('.editing .document').waitFor()
  const worst = await page.evaluate(async () => {
    const area = document.querySelector('.editing textarea')
    let slowest = 0
    for (let i = 0; i < 20; i++) {
      area.setRangeText('x', area.value.length, area.value.length, 'end')
      const from = performance.now()
      area.dispatchEvent(new Event('input', { bubbles: true }))
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)))
      slowest = Math.max(slowest, performance.now() - from)
    }
    return slowest
  })
  console.log(`# a keystroke in 190 KB: at most ${worst.toFixed(0)} ms to the next frame`)
  await page.getByText('Saved', { exact: true }).waitFor()
  assert.ok((await area.inputValue()).endsWith('xxx'))
  await alertd.call('PUT', `${path}/sections/factors`, { markdown: 'Short again.', revision: (await alertd.get(path)).sections.find((one) => one.id === 'factors').revision })
  await page.context().close()
})

test('stepping in for somebody, by keyboard, and taking it back', async () => {
  const page = await at({ path: '/oncall' })
  const panel = page.locator('#web')
  const whose = (await alertd.get('/api/alertd/v1/oncall?schedule=web')).schedules[0].people[0].person
  const turn = panel.getByRole('group', { name: 'On call' }).getByRole('button', { name: new RegExp(`${whose}: `) }).first()
  const who = whose === 'chen' ? 'ana' : 'chen'
  await turn.focus()
  await page.keyboard.press('Enter')
  await page.getByLabel(`Who steps in for ${whose}`).selectOption(who)
  await page.getByLabel('Note (optional)').fill('dentist')
  await page.getByRole('button', { name: 'Step in', exact: true }).click()
  await panel.getByText('dentist').first().waitFor()
  const now = await alertd.get('/api/alertd/v1/oncall?schedule=web')
  assert.deepEqual(now.schedules[0].people.map((one) => [one.person, one.why, one.note]), [[who, 'override', 'dentist']])
  await panel.getByRole('button', { name: new RegExp(`^Take back: ${who}`) }).click()
  await until('it is taken back', async () => (await alertd.get('/api/alertd/v1/oncall?schedule=web')).schedules[0].people[0].person === whose)
  await assertClean(page, 'stepping in')
  await page.context().close()
})

test('a contact is proved by the link in its test', async () => {
  const page = await at({ path: '/people' })
  const panel = page.locator('#ana')
  const before = alertd.pages.length
  await panel.getByText('No contact is verified').waitFor()
  await panel.getByRole('button', { name: 'Send a test by webhook to Ana Ferreira' }).click()
  await panel.getByText('not confirmed').waitFor()
  const link = /"(http[^"]*\/c\/[^"]+)"/.exec(JSON.stringify(alertd.pages.slice(before)))[1]
  const phone = await open(browser, alertd, { token: null, width: 390, path: new URL(link).pathname })
  await phone.getByRole('button', { name: 'It arrived' }).click()
  await phone.getByRole('heading', { name: 'Confirmed' }).waitFor()
  await phone.context().close()
  await panel.getByText('Verified').waitFor()
  await panel.getByText('No contact is verified').waitFor({ state: 'detached' })
  await assertClean(page, 'people')
  await page.context().close()
})

test('a schedule is edited with its preview, and nobody is overwritten', async () => {
  const page = await at({ path: '/oncall?edit=db' })
  const path = '/api/alertd/v1/schedules/db'
  const before = await alertd.get(path)
  await page.getByLabel('Title (optional)').fill('All databases')
  await page.getByRole('button', { name: 'Without this time' }).first().click()
  await page.getByRole('region', { name: /14 days/ }).getByText('Nobody').first().waitFor({ state: 'detached' })
  assert.equal((await alertd.get(path)).revision, before.revision, 'a preview stores nothing')
  const { overrides: _, ...theirs } = before.spec
  await alertd.call('PUT', `${path}?revision=${before.revision}`, { ...theirs, title: 'Theirs' })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('alert').getByText(/made revision \d+ meanwhile/).waitFor()
  assert.equal((await alertd.get(path)).title, 'Theirs')
  page.noticed.length = 0 // the browser itself reports the 409
  await page.context().close()
})

test('a trainee walks through a shadow page, and the incident never hears of it', async () => {
  dan = await seedDan(alertd)
  const { id, incident: { key } } = await pageDan(alertd, 'OrdersStuck', 'Orders wait for 12 minutes')
  const copy = () => alertd.get(`/api/alertd/v1/shadow-pages/${id}`)
  const page = await at({ token: dan, path: '/shadowing?person=dan' })
  await page.getByRole('link', { name: /Orders wait for 12 minutes/ }).click()
  await page.waitForURL(`${alertd.url}/shadowing/${id}`)
  await page.getByText('Practice copy').waitFor()
  await until('it is opened, and so seen', async () => { const { opened_at, seen_at } = await copy(); return opened_at && seen_at })
  await page.getByRole('button', { name: 'I have seen it' }).waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Acknowledge my copy' }).click()
  await page.getByText('The real incident is as it was').waitFor()
  assert.ok((await copy()).acknowledged_at)

  await page.getByText('a guess made after the answer teaches nothing').waitFor()
  await page.getByLabel('What you think it is').fill('The payment provider is slow')
  await page.getByLabel('Notes').fill('The workers wait')
  await page.locator('.kept .saving.clean').nth(1).waitFor()
  assert.deepEqual([(await copy()).hypothesis, (await copy()).notes], ['The payment provider is slow', 'The workers wait'])
  await page.reload()
  await settle(page)
  assert.equal(await page.getByLabel('What you think it is').inputValue(), 'The payment provider is slow')
  assert.equal(await page.locator('.moments').count(), 0, 'what is typed does not answer itself')

  for (const [asks, says] of [['Would you act on it?', 'No'], ['Did it make sense?', 'Yes'], ['Did you know where to look?', 'Yes']]) {
    const tap = page.getByRole('group', { name: asks }).getByRole('button', { name: says })
    await tap.click()
    await page.locator('.tap button[aria-pressed="true"]', { hasText: says }).first().waitFor()
  }
  await until('all are answered', async () => { const { answers } = await copy(); return answers.answered_at && answers.acted_on === false && answers.made_sense && answers.knew_where })
  assert.equal(await page.locator('.moments').count(), 0, 'nor do the taps')
  await page.getByRole('button', { name: /^Compare/ }).click()
  await page.locator('.moment.you', { hasText: 'The payment provider is slow' }).waitFor()
  assert.ok(await page.locator('.moment.they').count() > 0)
  const real = await incident(key)
  assert.deepEqual([real.status, real.acknowledged_by, real.timeline.filter((one) => one.class === 'human')], ['triggered', null, []])
  await assertClean(page, 'a shadow page')
  await page.context().close()
})

test('without a guess the timelines are shown when one insists, and that is remembered', async () => {
  const { token } = await alertd.post('/api/alertd/v1/tokens', { name: 'dan 2', scopes: ['operate'] })
  const { id } = await pageDan(alertd, 'QueueGrows', '4,210 orders wait')
  const page = await at({ token, path: `/shadowing/${id}` })
  assert.equal(await page.getByLabel('What Dan Moreau thinks it is').isEditable(), false, "another one's copy is only read")
  await page.getByRole('button', { name: 'Show it without a guess' }).click()
  await page.locator('.moment.they').first().waitFor()
  const { shadow } = await alertd.get(`/api/alertd/v1/shadow-pages/${id}/timelines`)
  assert.ok(shadow.some((one) => one.actor === 'dan 2'), JSON.stringify(shadow))
  await page.getByRole('button', { name: 'Fill in for Dan Moreau' }).click()
  await page.getByLabel('What Dan Moreau thinks it is').fill('told me by phone')
  await until('it is saved', async () => (await alertd.get(`/api/alertd/v1/shadow-pages/${id}`)).hypothesis === 'told me by phone')
  await assertClean(page, 'a copy of somebody else')
  await page.context().close()
})

test('a shadow is added for two weeks, and ended', async () => {
  const page = await at({ path: '/shadowing' })
  const shadows = async () => (await alertd.get('/api/alertd/v1/shadows')).shadows.map((one) => one.spec).filter((spec) => spec.person === 'bob')
  await page.getByRole('button', { name: 'Add a shadow' }).click()
  await page.getByLabel('Who looks on').selectOption('bob')
  await page.getByLabel('Whose pages').selectOption('person:ana')
  await page.getByText('Reverse', { exact: true }).last().click()
  await page.getByLabel('Mentor (optional)').selectOption('chen')
  await page.getByLabel('The mentor is paged').selectOption('120')
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  const row = page.locator('.looks-on', { hasText: 'Bob Okafor' })
  await row.getByText('Reverse').waitFor()
  const [made] = await shadows()
  assert.deepEqual([made.target_kind, made.target, made.mode, made.mentor, made.after_ms, Date.parse(made.to) - Date.parse(made.from)], ['person', 'ana', 'reverse', 'chen', 120_000, 14 * 86_400_000])
  await row.getByRole('button', { name: 'End' }).click()
  await row.getByRole('button', { name: 'Really end now' }).click()
  await page.locator('.looks-on.now', { hasText: 'Bob Okafor' }).waitFor({ state: 'detached' })
  assert.ok((await shadows()).every((spec) => Date.parse(spec.to) <= Date.now()))
  await assertClean(page, 'shadowing')
  await page.context().close()
})

test('evidence is the trainee\'s, the signature is somebody else\'s', async () => {
  const theirs = await at({ token: dan, path: '/readiness/dan' })
  await theirs.getByRole('button', { name: /^Add evidence/ }).first().click()
  await theirs.getByLabel('Evidence').fill('/people#dan')
  await theirs.getByRole('button', { name: 'Save' }).click()
  await theirs.locator('.item.done').waitFor()
  assert.equal(await theirs.getByRole('button', { name: /^Sign/ }).count(), 0, 'nobody signs for themselves')
  await assertClean(theirs, 'the own list')
  await theirs.context().close()
  const page = await at({ path: '/readiness' })
  await page.getByRole('link', { name: 'Dan Moreau' }).click()
  await page.getByRole('button', { name: /^Sign/ }).click()
  await page.locator('.item.signed').waitFor()
  const signed = (await alertd.get('/api/alertd/v1/readiness/dan')).areas.flatMap((area) => area.items).filter((one) => one.signed_at)
  assert.deepEqual(signed.map((one) => one.evidence), ['/people#dan'])
  await page.getByRole('button', { name: 'Take back' }).click()
  await page.getByRole('button', { name: 'Really take back' }).click()
  await page.locator('.item.signed').waitFor({ state: 'detached' })
  await assertClean(page, 'a list, signed')
  await page.context().close()
})

test('when alertd falls silent, nothing stays green', async () => {
  const page = await at({})
  alertd.pause()
  try {
    await page.locator('.rail .pulse.late').waitFor({ timeout: 40_000 })
    assert.equal(await page.locator('.verdict.ok').count(), 0)
    await page.getByText(/No answer from alertd for/).waitFor()
    await page.locator('.shell.lost').waitFor({ timeout: 60_000 })
    assert.match(await page.getByRole('heading', { level: 1 }).innerText(), /No word from alertd/)
    assert.match(await page.title(), /^\?/)
  } finally {
    alertd.go()
  }
  await page.locator('.rail .pulse.live').waitFor({ timeout: 30_000 })
  await page.context().close()
})

test('pages that are left give their stream back, though the browser keeps them to come back to', async () => {
  const keeping = await launch({ ignoreDefaultArgs: ['--disable-back-forward-cache'] })
  try {
    const page = await open(keeping, alertd, {})
    for (let i = 0; i < 9; i++) { // a browser has six connections
      await page.goto(`${alertd.url}${i % 2 ? '/agents' : '/rules'}`)
      await page.locator('main h1').waitFor()
      await page.getByText('Live', { exact: true }).first().waitFor()
    }
    await page.goBack({ waitUntil: 'commit' })
    await page.getByText('Live', { exact: true }).first().waitFor()
  } finally {
    await keeping.close()
  }
})
