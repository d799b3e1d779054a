// Using it: logging in, acknowledging, noting, resolving, asking, writing, and what is shown
// when alertd falls silent. Each deed is checked in alertd, not only on the page.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Alertd, seed, until } from './daemon.mjs'
import { assertClean, launch, open, settle } from './page.mjs'

let alertd, browser, made
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
  for (let i = 0; i < 16; i++) {
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
  await page.locator('.ladder li.passes', { hasText: 'the root route takes it: receiver team' }).waitFor()
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
  await page.locator('.event', { hasText: 'from elsewhere, seen' }).waitFor({ timeout: 4000 })
  const row = page.locator('.event', { hasText: 'from elsewhere, seen' })
  await row.hover()
  const before = await row.boundingBox()
  await alertd.post(`/api/alertd/v1/incidents/${made.shop}/notes`, { text: 'from elsewhere, waiting' })
  await page.getByRole('button', { name: /new: show/ }).waitFor({ timeout: 4000 })
  assert.equal(await page.locator('.event', { hasText: 'from elsewhere, waiting' }).count(), 0)
  assert.ok(before)
  await page.mouse.move(5, 5)
  await page.locator('.event', { hasText: 'from elsewhere, waiting' }).waitFor()
  await page.context().close()
})

test('resolving waits for its undo, then is done', async () => {
  const page = await at({ path: `/i/${made.shop}` })
  await page.getByRole('button', { name: 'Resolve' }).click()
  await page.getByRole('button', { name: 'Undo', exact: true }).click()
  await page.waitForTimeout(5500)
  assert.notEqual((await incident(made.shop)).status, 'resolved')
  await page.getByRole('button', { name: 'Resolve' }).click()
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

test('a postmortem saves itself, previews, and refuses to overwrite', async () => {
  const path = `/api/alertd/v1/postmortems/${made.postmortem}`
  const page = await at({ path: `/pm/${made.postmortem}` })
  const editor = page.getByRole('textbox', { name: 'Markdown' })
  await editor.press('Control+End')
  await editor.pressSequentially('\n\nArchiving **failed** silently.')
  await page.locator('.document strong', { hasText: 'failed' }).waitFor()
  await page.getByText('Saved', { exact: true }).waitFor()
  const saved = await alertd.get(path)
  assert.match(saved.markdown, /Archiving \*\*failed\*\* silently\.$/)

  await alertd.call('PUT', path, { markdown: `${saved.markdown}\n\nTheirs.`, revision: saved.revision })
  page.noticed.length = 0
  await editor.pressSequentially(' Mine.')
  await page.getByText('saved a newer version while you wrote').waitFor()
  assert.match((await alertd.get(path)).markdown, /Theirs\.$/)
  await page.getByRole('button', { name: 'Keep mine' }).click()
  await until('mine is saved', async () => (await alertd.get(path)).markdown.endsWith('Mine.'))
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
