// Days that are set aside as damaged: each page that shows what is made of the rest says so above it.

import assert from 'node:assert/strict'
import { readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Alertd, seed, seedServices } from './daemon.mjs'
import { assertAccessible, assertClean, launch, open, picture, settle } from './page.mjs'

let alertd, browser, made
const LOOKS = [['light', 1280], ['dark', 1280], ['light', 390]]
const MISSING = /Not all of it could be read[^]*partition \d{4}-\d\d-\d\d is quarantined \(\d{4}-\d\d-\d\d\.db\.damaged-1\)/

before(async () => {
  ;[alertd, browser] = await Promise.all([new Alertd().start(), launch()])
  made = await seed(alertd)
  await seedServices(alertd)
  const at = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString()
  made.declared = (await alertd.post('/api/alertd/v1/incidents', { title: 'Orders fail', labels: { job: 'blackbox' }, origin: 'import', events: [
    { t: at(20), kind: 'impact.start', text: 'it begins' }, { t: at(10), kind: 'impact.end', text: 'it ends' }] })).key
  const samples = join(alertd.folder, 'data/samples')
  await alertd.stop()
  for (const name of readdirSync(samples)) if (/^\d{4}-\d\d-\d\d\.db$/.test(name)) renameSync(join(samples, name), join(samples, `${name}.damaged-1`))
  await alertd.run()
})
after(async () => {
  await browser?.close()
  await alertd?.close()
})

for (const [theme, width] of LOOKS) {
  test(`agents, why, budgets: ${theme}, ${width}`, async () => {
    const page = await open(browser, alertd, { path: '/agents', theme, width })
    await settle(page)
    assert.match(await page.locator('.not-read').innerText(), MISSING)
    await picture(page, `not-read-agents-${theme}-${width}`)
    await assertAccessible(page, 'agents')
    await assertClean(page, 'agents')

    await page.goto(`${alertd.url}/i/${made.declared}`)
    await settle(page)
    assert.match(await page.locator('#services').innerText(), MISSING)
    await picture(page, `not-read-incident-${theme}-${width}`)
    await assertAccessible(page, 'budgets')
    await assertClean(page, 'budgets')

    await page.goto(`${alertd.url}/i/${made.shop}`)
    await settle(page)
    await page.getByRole('button', { name: 'Why?' }).first().click()
    await page.locator('.why-words').waitFor()
    assert.equal(await page.locator('.why .not-read').count(), 0, 'its row says it')
    const then = new Date(Date.now() - 15 * 60_000)
    await page.getByLabel('At, your time').fill(await page.evaluate((ms) => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19), then.getTime()))
    await page.locator('.why .not-read').waitFor()
    assert.match(await page.locator('.why').innerText(), MISSING)
    assert.match(await page.locator('.why').innerText(), /not all samples of that time could be read/)
    await picture(page, `not-read-why-${theme}-${width}`, false)
    await assertAccessible(page, 'why')
    await assertClean(page, 'why')
    await page.context().close()
  })

  test(`an answer that fails: ${theme}, ${width}`, async () => {
    const page = await open(browser, alertd, { path: '/', theme, width })
    await settle(page)
    const warnings = Array.from({ length: 10 }, (_, i) => `partition 2026-11-0${i} is quarantined (2026-11-0${i}.db.damaged-1)`)
    await page.route(/tunings$/, (route) => route.fulfill({ status: 422, json: { status: 'error', errorType: 'execution', error: 'nothing is there', warnings } }))
    await page.goto(`${alertd.url}/rules/${made.rule}/tune`)
    const trouble = page.locator('.trouble')
    await trouble.waitFor()
    assert.match(await trouble.innerText(), /nothing is there[^]*Not all of it could be read:\n[^]*2026-11-00[^]*2026-11-07\.db\.damaged-1\)\n*and 2 more$/)
    await picture(page, `not-read-trouble-${theme}-${width}`)
    await assertAccessible(page, 'trouble')
    page.noticed = page.noticed.filter((one) => !one.includes('tunings'))
    await assertClean(page, 'trouble')
    await page.context().close()
  })
}
