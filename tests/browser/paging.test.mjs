// Who is paged, and who is not: silences made and ended, pages followed, snoozed, taken over and
// escalated, policies changed. Each deed is checked in alertd, not only on the page.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Alertd, seed, seedPaging, until } from './daemon.mjs'
import { assertAccessible, assertClean, launch, open, settle } from './page.mjs'

const V1 = '/api/alertd/v1'
let alertd, browser, made
before(async () => {
  ;[alertd, browser] = await Promise.all([new Alertd().start(), launch()])
  made = await seed(alertd)
})
after(async () => {
  await browser?.close()
  await alertd?.close()
})

const at = async (options) => {
  const page = await open(browser, alertd, options)
  await settle(page)
  return page
}
const silences = async () => (await alertd.get(`${V1}/silences?state=all`)).silences
const silenceOf = async (comment) => (await silences()).find((one) => one.comment === comment)

test('an alert is silenced from its row, shown to be muted, prolonged, and told again', async () => {
  const page = await at({ path: '/alerts' })
  await page.locator('.alert-group', { hasText: 'ShopDown' }).getByRole('link', { name: /^Silence/ }).click()
  await page.waitForURL(/\/silences\?new=1/)
  assert.equal(await page.getByLabel('Value of label 1').inputValue(), 'ShopDown')
  const preview = page.getByRole('region', { name: 'Preview' })
  await preview.getByText(/1\s+alert that fires now/).waitFor()
  assert.match(await preview.innerText(), new RegExp(`${made.shop}[^]*would have muted 1 of \\d+ notifications? and 1 of \\d+ incidents`))
  assert.equal(await silenceOf('deploying'), undefined, 'a preview makes nothing')
  await page.getByRole('button', { name: '4 h', exact: true }).click()
  await page.getByLabel('Why').fill('deploying')
  await page.getByRole('button', { name: 'Silence', exact: true }).click()
  await page.waitForURL(`${alertd.url}/silences`)
  const row = page.locator('.silence', { hasText: 'deploying' })
  await row.getByText('1 alert muted').waitFor()
  assert.equal(await row.getByRole('link', { name: 'ShopDown', exact: true }).getAttribute('href'), `/i/${made.shop}`)
  const one = await silenceOf('deploying')
  assert.equal(Date.parse(one.ends_at) - Date.parse(one.starts_at), 4 * 3_600_000)
  assert.deepEqual(one.matchers.find((matcher) => matcher.name === 'alertname'), { isEqual: true, isRegex: false, name: 'alertname', value: 'ShopDown' })
  const fires = async () => (await alertd.get(`${V1}/alerts?filter=${encodeURIComponent('alertname=ShopDown')}`)).alerts[0]
  assert.deepEqual((await fires()).silenced_by, [one.id])
  await row.locator('summary').click()
  await row.getByRole('button', { name: '1 h longer' }).click()
  await until('it ends later', async () => Date.parse((await silenceOf('deploying')).ends_at) === Date.parse(one.ends_at) + 3_600_000)
  await row.getByRole('button', { name: 'End now' }).click()
  assert.equal((await silenceOf('deploying')).state, 'active', 'it asks once more')
  await row.getByRole('button', { name: 'Really end it' }).click()
  await page.locator('.silence.expired', { hasText: 'deploying' }).waitFor()
  assert.deepEqual((await fires()).silenced_by, [])
  await assertClean(page, 'silences')
  await page.context().close()
})

test('recurring maintenance: what it matches, when it comes next, and nobody is overwritten', async () => {
  const page = await at({ path: '/silences?new=1' })
  await page.getByLabel('Label 1', { exact: true }).fill('instance')
  await page.getByLabel('Value of label 1').fill('nowhere')
  const preview = page.getByRole('region', { name: 'Preview' })
  await preview.getByText('Nothing that fires now is matched').waitFor()
  await page.getByLabel('How label 1 is compared').selectOption('=~')
  await page.getByLabel('Value of label 1').fill('(')
  await preview.getByText(/matchers\[0\]|regular expression/).waitFor()
  page.noticed.length = 0 // the browser itself reports the 400
  await page.getByLabel('Value of label 1').fill('nowhere|elsewhere')
  await page.getByRole('button', { name: 'Recurring' }).click()
  await page.getByRole('checkbox', { name: 'sun' }).click()
  await page.getByLabel('Time zone').fill('America/New_York')
  await page.getByLabel('Time zone').press('Tab')
  assert.equal(await page.getByLabel('In one line').inputValue(), 'sat 02:00-04:00 America/New_York')
  await preview.getByText('Comes next').waitFor()
  await page.getByLabel('Why').fill('weekly restart')
  await page.getByRole('button', { name: 'Silence', exact: true }).click()
  await page.waitForURL(`${alertd.url}/silences`)
  const row = page.locator('.silence', { hasText: 'weekly restart' })
  await row.getByText('until somebody ends it').waitFor()
  await row.getByText('sat 02:00-04:00 America/New_York').waitFor()
  const before = await silenceOf('weekly restart')
  assert.deepEqual([before.window_text, before.ends_at, before.next.length], ['sat 02:00-04:00 America/New_York', null, 2])

  await row.getByRole('link', { name: /^Edit/ }).click()
  await page.getByLabel('In one line').fill('days=1:7 sat 02:00-04:00 America/New_York')
  assert.equal(await page.getByRole('checkbox', { name: 'sun' }).count(), 0, 'the line says more than the buttons can')
  await page.getByLabel('In one line').fill(before.window_text)
  await page.getByLabel('Why').fill('weekly restart, the new way')
  const theirs = { matchers: before.matchers, window: before.window, comment: 'weekly restart: theirs' }
  await alertd.call('PUT', `${V1}/silences/${before.id}?revision=${before.revision}`, theirs)
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('alert').getByText('somebody changed it meanwhile').waitFor()
  page.noticed.length = 0 // the browser itself reports the 409
  assert.equal((await silenceOf('weekly restart: theirs')).id, before.id)
  await page.reload()
  await settle(page)
  await page.getByLabel('Why').fill('weekly restart, ours')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.waitForURL(`${alertd.url}/silences`)
  assert.equal((await silenceOf('weekly restart, ours')).id, before.id, 'what mutes the same keeps its id')
  await assertClean(page, 'recurring')
  await page.context().close()
})

test('pages: the log of an incident, snoozed, escalated, taken over', async () => {
  Object.assign(made, await seedPaging(alertd))
  const escalation = async () => (await alertd.get(`${V1}/incidents/${made.queue}`)).escalations[0]
  const page = await at({ path: `/i/${made.queue}` })
  await page.locator('.escalation', { hasText: /snoozed until .* by first admin/ }).waitFor()
  const panel = page.locator('.panel', { hasText: 'Who was told' })
  await until('all that was told', async () => {
    const log = (await alertd.get(`${V1}/incidents/${made.queue}/deliveries`)).deliveries
    return (await panel.locator('.aside-list > li').count()) === log.length
  })
  await panel.locator('summary').click()
  await panel.getByText(/sent .*, accepted/).first().waitFor()
  await page.getByRole('button', { name: 'Escalate now' }).click()
  await page.getByText('The next step is paged now').waitFor()
  assert.equal((await escalation()).status, 'running')
  await page.locator('.escalation', { hasText: 'is due' }).waitFor()
  await page.locator('summary', { hasText: 'Snooze' }).click()
  await page.getByRole('button', { name: '30 min' }).click()
  const snoozed = await until('snoozed', async () => { const now = await escalation(); return now.status === 'snoozed' && now })
  assert.ok(Math.abs(Date.parse(snoozed.next_at) - Date.now() - 30 * 60_000) < 60_000)
  await page.getByRole('button', { name: 'Take over' }).click()
  await page.locator('.escalation', { hasText: 'holds it: nobody else is paged' }).waitFor()
  assert.deepEqual([(await escalation()).status, (await escalation()).person], ['taken', 'first admin'])
  assert.equal(await page.getByRole('button', { name: 'Take over' }).count(), 0)
  await assertClean(page, 'paged')
  await page.getByRole('link', { name: 'All of it' }).click()
  await page.waitForURL(/\/deliveries\?incident=/)
  await page.context().close()
})

test('deliveries: of a person, of a receiver, by state, and the address keeps it', async () => {
  const page = await at({ path: '/deliveries' })
  const rows = page.locator('tbody tr')
  // steps of escalations go on meanwhile: what is shown is compared with what is there now
  const shows = (what, picks) => until(what, async () => {
    const all = (await alertd.get(`${V1}/deliveries`)).deliveries
    return (await rows.count()) === all.filter(picks).length
  })
  await shows('all', () => true)
  await page.locator('.delivery-pick', { hasText: 'ana' }).first().click()
  await page.waitForURL(/who=ana/)
  await shows('only hers', (one) => one.person === 'ana')
  // what is typed counts when it is entered, however long that takes and whatever is drawn meanwhile
  const who = page.locator('[data-filter]')
  for (const wait_ms of [0, 20, 50, 400]) {
    await who.fill('receiver team')
    await page.waitForTimeout(wait_ms)
    assert.match(page.url(), /who=ana/)
    await who.press('Enter')
    await page.waitForURL(/who=receiver/)
    await shows('only the receiver’s', (one) => one.receiver === 'team')
    if (wait_ms === 400) continue
    await page.goBack()
    await page.waitForURL((url) => url.search === '')
    await page.goForward()
    await who.fill('')
    await shows('emptied', () => true)
    await page.locator('.delivery-pick', { hasText: 'ana' }).first().click()
    await page.waitForURL(/who=ana/)
    assert.equal(await who.inputValue(), 'ana')
  }
  await page.getByRole('button', { name: 'Failed' }).click()
  await page.waitForURL(/state=failed/)
  await page.getByText('Nothing like that was told').waitFor()
  await page.getByRole('button', { name: 'Show all', exact: true }).click()
  await shows('all of them', () => true)
  await assertClean(page, 'deliveries')
  await page.context().close()
})

test('the phone page takes an incident over, without a login', async () => {
  const labels = { alertname: 'QueueStops', severity: 'critical', team: 'queue', instance: 'queue-2' }
  const seen = alertd.pages.length
  await alertd.post('/api/v2/alerts', [{ labels }])
  const incident = async () => (await alertd.get(`${V1}/incidents?status=all`)).incidents.find((one) => one.labels.alertname === 'QueueStops')
  const { key } = await until('an incident', incident)
  await alertd.post(`${V1}/incidents/${key}/escalate`)
  const link = await until('a page with a link', () => /"(http[^"]*\/a\/[^"]+)"/.exec(JSON.stringify(alertd.pages.slice(seen)))?.[1])
  const phone = await open(browser, alertd, { token: null, width: 390, path: new URL(link).pathname })
  await assertAccessible(phone, 'the phone page')
  await phone.getByRole('button', { name: /^Take over/ }).click()
  await phone.waitForLoadState()
  const whole = await until('taken over', async () => { const now = await alertd.get(`${V1}/incidents/${key}`); return now.escalations[0].status === 'taken' && now })
  assert.equal(whole.status, 'acknowledged')
  assert.ok(whole.timeline.some((event) => event.text.includes('took it over')))
  assert.equal(await phone.getByRole('button', { name: /^Acknowledge/ }).count(), 0)
  await phone.context().close()
})

test('a policy is drawn as it is edited, and nobody is overwritten', async () => {
  const page = await at({ path: '/oncall' })
  await page.getByRole('link', { name: 'Edit policy shop' }).click()
  const ladder = page.getByRole('region', { name: 'Ladder' })
  await ladder.getByText('who is on call in').first().waitFor()
  assert.deepEqual(await ladder.locator('.rung-when').allInnerTexts(), ['At once', 'After 5 min', 'After 15 min', 'After 45 min'])
  const step = page.getByRole('region', { name: 'Step 2' })
  await step.getByLabel('Then wait, in minutes').fill('2.5')
  await page.getByRole('button', { name: 'Add a step' }).click()
  await page.getByRole('button', { name: 'Add somebody to step 3' }).click()
  await page.getByLabel('step 3: kind of target 1').selectOption('receiver')
  await page.getByLabel('step 3: target 1', { exact: true }).selectOption('team')
  assert.deepEqual(await ladder.locator('.rung-when').allInnerTexts(), ['At once', 'After 5 min', 'After 7 min 30 s', 'After 17 min 30 s', 'After 52 min 30 s'])
  await page.getByRole('button', { name: 'Save' }).click()
  await page.waitForURL(`${alertd.url}/oncall`)
  const saved = await alertd.get(`${V1}/policies/shop`)
  assert.deepEqual(saved.spec.steps.map((one) => one.delay_ms), [300_000, 150_000, 600_000])
  assert.deepEqual(saved.spec.steps[2].targets, [{ receiver: 'team' }])

  await page.getByRole('link', { name: 'Edit policy shop' }).click()
  await page.getByLabel('Title (optional)').fill('Mine')
  await alertd.call('PUT', `${V1}/policies/shop?revision=${saved.revision}`, { ...saved.spec, title: 'Theirs' })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('alert').getByText(/meanwhile/).waitFor()
  assert.equal((await alertd.get(`${V1}/policies/shop`)).spec.title, 'Theirs')
  page.noticed.length = 0 // the browser itself reports the 409
  await page.context().close()
})

test('storage: days, limits, and what to do about what was refused', async () => {
  await alertd.push(`too_late{job="x"} 1 ${Date.now() - 20 * 86_400_000}`, made.token, 'web-1').catch(() => undefined)
  const page = await at({ path: '/agents' })
  const panel = page.locator('.storage')
  const { watchbill, seriesCountByMetricName } = (await alertd.get('/api/v1/status/tsdb')).data
  assert.ok(watchbill.days.length > 0 && watchbill.offenders.length > 0)
  await panel.getByText(watchbill.days.at(-1).day).first().waitFor()
  for (const limit of watchbill.limits) assert.match(await panel.locator('.strip').innerText(), new RegExp(`of ${limit.limit.toLocaleString('en')}`))
  assert.match(await panel.innerText(), /too old[^]*Let it push sooner, or import old samples as history/)
  await panel.getByText(seriesCountByMetricName[0].name).first().waitFor()
  await assertClean(page, 'storage')
  await page.context().close()
})
