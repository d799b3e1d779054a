// Drills in a real browser, a real alertd and a real alert-drill: from the login to inside a first
// drill, one played to its end by keyboard alone, on a phone, in two tabs, over a reload, by a
// browser that is wrong about the time. Each deed is checked in alertd.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Alertd, DRILLS_FLAG, until } from './daemon.mjs'
import { assertAccessible, assertClean, launch, open, picture, settle } from './page.mjs'

const V1 = '/api/alertd/v1'
const DRILLS = `${V1}/drills`
let alertd, browser

before(async () => {
  ;[alertd, browser] = await Promise.all([new Alertd({ flags: [DRILLS_FLAG, '--drills.max-per-person=20'] }).start(), launch()])
})
after(async () => {
  await browser?.close()
  await alertd?.close()
})

/** The same seed: the same minutes in every run. */
const begin = async (more = {}) => (await alertd.post(DRILLS, { drill: '01-disk-filling', mode: 'solo', seed: 7, start: 'paused', ...more })).id
const session = (id) => alertd.get(`${DRILLS}/${id}`)
const acts = async (id, kind) => (await session(id)).moments.filter((one) => one.act === kind)
const idOf = (page) => Number(/\/drills\/(\d+)/.exec(page.url())[1])
const look = async (page, name) => {
  for (const theme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: theme })
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
    await picture(page, `${name}-${theme}-${page.viewportSize().width}`)
    await assertAccessible(page, `${name} ${theme}`, theme === 'dark' ? { runOnly: ['color-contrast'] } : {})
  }
  await page.emulateMedia({ colorScheme: 'light' })
}
/** Until the first page came and time has slowed for it. */
const paged = async (page, id) => {
  await page.locator('.drill-incident.triggered').first().waitFor({ timeout: 180_000 })
  await until('time slows down', async () => (await session(id)).clock.speed === 1, 60)
}
/** A single letter acts only outside of what takes text. */
const press = async (page, ...keys) => { for (const key of keys) await page.keyboard.press(key) }
const write = async (page, key, label, text) => {
  await press(page, key)
  await page.waitForFunction((name) => document.activeElement?.getAttribute('aria-label') === name || document.activeElement?.labels?.[0]?.textContent === name, label)
  await page.keyboard.type(text)
  await press(page, 'Enter', 'Escape')
}

test('from the login to inside a first drill: two clicks, and each next step is shown', async () => {
  const page = await open(browser, alertd, { token: null })
  await page.getByLabel('Access token').fill(alertd.token)
  await page.keyboard.press('Enter')
  await settle(page)
  let clicks = 0
  const click = async (locator) => { clicks++; await locator.click() }
  await click(page.getByRole('link', { name: 'Drills', exact: true }))
  const first = page.getByRole('region', { name: 'Your first drill' })
  assert.match(await first.innerText(), /New here\? Begin with this one[^]*The disk that fills/)
  await click(first.getByRole('button', { name: /^Start/ }))
  await page.getByRole('region', { name: 'Brief' }).waitFor()
  assert.equal(clicks, 2)
  const id = idOf(page)
  const told = await page.getByRole('region', { name: 'Brief' }).innerText()
  assert.ok(told.includes((await session(id)).brief), 'the brief is told first')
  assert.match(await page.title(), /^\[DRILL\] /)
  assert.equal((await session(id)).state, 'paused', 'nothing runs before one says so')
  assert.equal(await page.locator('.drill-stripes').innerText().then((text) => /DRILL[^]*Nothing here is real/.test(text)), true)
  await assertClean(page, 'the brief')
  await page.getByRole('button', { name: 'Start the clock' }).click()
  await until('the clock runs', async () => (await session(id)).state === 'running')
  await page.getByRole('region', { name: 'Next step' }).getByText('All is quiet: wait for a page').waitFor()
  await assertClean(page, 'inside')
  await alertd.post(`${DRILLS}/${id}/clock`, { state: 'paused' }) // and not ended: the next test's first drill is this one too
  await page.context().close()
})

test('the first drill, played to its end by keyboard alone, by following what is shown', async () => {
  const page = await open(browser, alertd, { path: '/' })
  await settle(page)
  await page.locator('#main').focus()
  await press(page, 'g', 'x')
  await page.waitForURL('**/drills')
  await page.locator('.drill-row').first().waitFor()
  await look(page, 'drills')
  await press(page, 'p') // the one in front
  await page.getByRole('region', { name: 'Brief' }).waitFor()
  const id = idOf(page)
  await look(page, 'drill-brief')
  const step = page.getByRole('region', { name: 'Next step' })
  const next = async (words) => { await step.getByText(words).waitFor() }
  await press(page, 'p')
  await next('All is quiet')
  await press(page, 'y')
  await paged(page, id)
  await next('You are paged: acknowledge it')
  assert.match(await page.title(), /You are paged/)
  await look(page, 'drill-paged')
  await press(page, 'a')
  await until('alertd has the acknowledgement', async () => (await session(id)).incidents[0]?.acked_ms !== null)
  await next('Look at it')
  await press(page, 'l')
  await page.locator('#drill-look canvas').waitFor()
  await until('the look is remembered', async () => (await acts(id, 'query'))[0]?.what.includes('node_filesystem_avail_bytes'))
  await next('Read the runbook')
  await press(page, 'b')
  await page.getByRole('region', { name: 'Runbook host' }).waitFor()
  await next('Write what you think it is')
  await write(page, 'h', 'What you think it is', 'the debug log of the deploy fills /var/log')
  await next('Say what you do now')
  await write(page, 'w', 'What you do now', 'make some tea')
  await page.getByText('Done. Nothing seems to change.').first().waitFor()
  await next('Tell people')
  await write(page, 'm', 'A status update', 'web-1 logs too much since 2.31; there is room for two hours')
  await next('Watch whether it helps')
  await press(page, 'l')
  await page.locator('#drill-look canvas').waitFor()
  await look(page, 'drill-desk')
  await write(page, 'w', 'What you do now', 'switch DEBUG off and truncate the log')
  await page.getByText('It has an effect: watch.').first().waitFor()
  await write(page, 'n', 'A note', 'ask ben about the flag')
  for (let i = 0; i < 5; i++) await press(page, '+')
  await step.getByText('It is over. Answer what is still asked').waitFor({ timeout: 180_000 })
  await write(page, 'q', 'Which file system fills?', '/var/log')
  await page.getByRole('region', { name: 'Asked of you' }).getByText('1 open').waitFor() // the next key leads to the other one
  assert.equal((await acts(id, 'answer')).length, 1)
  await write(page, 'q', 'What happened just before it began?', 'the deploy of 2.31')
  await next('It is over: end the drill')
  await press(page, 'f')
  await page.waitForURL(`${alertd.url}/drills/${id}`)
  await page.getByRole('region', { name: 'Your clocks' }).waitFor()
  const score = await alertd.get(`${DRILLS}/${id}/score`)
  const clock = (name) => score.clocks.find((one) => one.clock === name)
  for (const name of ['ack', 'graph', 'runbook', 'right', 'tell', 'mitigation']) assert.notEqual(clock(name).after_ms, null, name)
  assert.equal(score.counts.find((one) => one.count === 'answers').n, 2)
  assert.ok((await page.getByRole('region', { name: 'What really happened' }).innerText()).includes(score.debrief))
  await page.getByText('switch DEBUG off and truncate the log').first().waitFor()
  await look(page, 'drill-over')
  await page.context().close()
})

test('on a phone: nothing is wider than the screen, and it is played by thumb', async () => {
  const id = await begin()
  const page = await open(browser, alertd, { width: 390, path: `/drills/${id}/play` })
  await page.getByRole('button', { name: 'Start the clock' }).click()
  await page.getByRole('region', { name: 'The drill’s clock' }).waitFor()
  await alertd.post(`${DRILLS}/${id}/clock`, { jump: 'onset' })
  await paged(page, id)
  await page.getByRole('region', { name: 'Next step' }).getByRole('button', { name: /Acknowledge/ }).click()
  await until('alertd has it', async () => (await session(id)).incidents[0].acked_ms !== null)
  await page.getByRole('button', { name: 'Its graph' }).first().click()
  await page.locator('#drill-look canvas').waitFor()
  await page.getByLabel('What you think it is').fill('more visitors than usual')
  await page.getByRole('button', { name: 'Write', exact: true }).last().click()
  await until('alertd has the guess', async () => (await acts(id, 'hypothesis')).length === 1)
  await look(page, 'drill-desk')
  await page.evaluate(() => scrollTo(0, 0)) // nothing lies under the clock
  await assertClean(page, 'the desk on a phone')
  await page.goto(`${alertd.url}/drills`)
  await page.getByRole('link', { name: /^Go on/ }).first().waitFor()
  await look(page, 'drills')
  await assertClean(page, 'the library on a phone')
  await alertd.post(`${DRILLS}/${id}/end`)
  await page.context().close()
})

test('two tabs are one drill; a reload loses nothing, not even what was half written', async () => {
  const id = await begin()
  const one = await open(browser, alertd, { path: `/drills/${id}/play` })
  await one.getByRole('button', { name: 'Start the clock' }).click()
  await one.getByRole('region', { name: 'The drill’s clock' }).waitFor()
  const two = await one.context().newPage()
  two.noticed = []
  await two.goto(`${alertd.url}/drills/${id}/play`)
  await two.getByRole('region', { name: 'The drill’s clock' }).waitFor()
  await one.getByRole('button', { name: 'Pause' }).click()
  await two.getByRole('button', { name: 'Run', exact: false }).first().waitFor()
  assert.equal((await session(id)).state, 'paused')
  await two.getByLabel('What you think it is').fill('the network')
  await two.keyboard.press('Enter')
  await one.getByText('the network').first().waitFor()
  assert.equal((await acts(id, 'hypothesis')).length, 1)
  await one.getByLabel('A status update').fill('half a sen')
  await one.reload()
  await one.getByText('the network').first().waitFor()
  assert.equal(await one.getByLabel('A status update').inputValue(), 'half a sen')
  assert.equal((await session(id)).state, 'paused')
  await assertClean(one, 'after the reload')
  await alertd.post(`${DRILLS}/${id}/end`)
  await one.waitForURL(`${alertd.url}/drills/${id}`)
  await one.context().close()
})

test('what is done while alertd does not answer is kept, and done once when it does', async () => {
  const id = await begin()
  const page = await open(browser, alertd, { path: `/drills/${id}/play` })
  await page.getByRole('button', { name: 'Start the clock' }).click()
  await page.getByRole('region', { name: 'The drill’s clock' }).waitFor()
  await page.route('**/acts', (route) => route.abort())
  await page.getByLabel('What you think it is').fill('dns, it is always dns')
  await page.keyboard.press('Enter')
  await page.getByText('not sent yet: it is kept here').waitFor()
  assert.equal((await acts(id, 'hypothesis')).length, 0)
  await page.reload()
  await page.getByText('not sent yet: it is kept here').waitFor()
  await page.unroute('**/acts')
  await until('it was sent', async () => (await acts(id, 'hypothesis')).length === 1)
  await page.getByText('not sent yet: it is kept here').waitFor({ state: 'hidden' })
  assert.deepEqual((await acts(id, 'hypothesis')).map((one) => one.what), ['dns, it is always dns'])
  await alertd.post(`${DRILLS}/${id}/end`)
  await page.context().close()
})

test('a browser that is nine years and seven minutes off shows the drill’s time all the same', async () => {
  const id = await begin()
  const page = await open(browser, alertd, { path: '/drills' })
  await page.addInitScript(() => {
    const Real = Date
    const off = -(9 * 365 * 86_400_000 + 7 * 60_000)
    window.Date = class extends Real {
      constructor(...given) { if (given.length === 0) super(Real.now() + off); else super(...given) }
      static now() { return Real.now() + off }
    }
  })
  await page.goto(`${alertd.url}/drills/${id}/play`)
  await page.getByRole('button', { name: 'Start the clock' }).click()
  await page.getByRole('region', { name: 'The drill’s clock' }).waitFor()
  await page.getByRole('button', { name: 'Pause' }).click()
  await until('it stands', async () => (await session(id)).state === 'paused')
  const { clock } = await session(id)
  const shown = new Date(clock.wall_ms).toISOString().slice(11, 19)
  await page.locator('.drill-now').getByText(shown).waitFor()
  await assertClean(page, 'by a wrong clock')
  await alertd.post(`${DRILLS}/${id}/end`)
  await page.context().close()
})

test('a game master says something, and it happens at the player’s desk', async () => {
  const { token } = await alertd.post(`${V1}/tokens`, { name: 'ben', scopes: ['read', 'operate'] })
  const me = (await alertd.get(`${V1}/me`)).name
  const id = await begin({ mode: 'master', players: ['ben'] })
  assert.notEqual(me, 'ben')
  const master = await open(browser, alertd, { path: `/drills/${id}/play` })
  await master.waitForURL(`${alertd.url}/drills/${id}/master`)
  const player = await open(browser, alertd, { token, path: `/drills/${id}/play` })
  await player.getByText('The game master starts the clock').waitFor()
  await master.getByRole('button', { name: 'Run' }).click()
  await player.getByRole('region', { name: 'Next step' }).waitFor()
  assert.equal(await player.getByRole('button', { name: 'Pause' }).count(), 0, 'the clock is the master’s')
  await master.getByRole('button', { name: 'Customer' }).click()
  await master.getByLabel('What the customer says').fill('I cannot pay since ten minutes')
  await master.keyboard.press('Enter')
  await player.getByText('I cannot pay since ten minutes').first().waitFor()
  await master.getByRole('region', { name: 'What is true' }).getByText('the trouble begins').first().waitFor()
  assert.equal(await player.getByText('the trouble begins').count(), 0)
  await look(master, 'drill-master')
  await assertClean(master, 'the panel')
  await assertClean(player, 'a player who is led')
  await alertd.post(`${DRILLS}/${id}/end`)
  await master.context().close()
  await player.context().close()
})
