// Every view, light and dark, on a desk and on a phone: no error, nothing refused, nothing axe
// calls serious, nothing wider than the screen. The pictures stay in SHOTS to be looked at.

import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Alertd, seed } from './daemon.mjs'
import { assertAccessible, assertClean, launch, open, settle } from './page.mjs'

const SHOTS = resolve(process.env.SHOTS ?? 'tests/browser/shots')
const LOOKS = [1280, 390].flatMap((width) => ['light', 'dark'].map((theme) => ({ width, theme })))
let alertd, empty, browser, made

before(async () => {
  mkdirSync(SHOTS, { recursive: true })
  ;[alertd, empty, browser] = await Promise.all([new Alertd().start(), new Alertd({ auth: 'off', receivers: false }).start(), launch()])
  made = await seed(alertd)
})
after(async () => {
  await browser?.close()
  await Promise.all([alertd?.close(), empty?.close()])
})

const VIEWS = {
  wall: () => '/',
  incidents: () => '/i',
  incident: () => `/i/${made.shop}`,
  'incident-resolved': () => `/i/${made.disk}`,
  alerts: () => '/alerts',
  rules: () => '/rules',
  rule: () => `/rules/${made.rule}`,
  agents: () => '/agents',
  report: () => '/report',
  oncall: () => '/oncall',
  'oncall-edit': () => '/oncall?edit=db',
  'oncall-new': () => '/oncall?new=1',
  people: () => '/people',
  explore: () => '/explore',
  'explore-graph': () => '/explore?expr=probe_duration_seconds&from=now-30m',
  'explore-rollup': () => '/explore?expr=probe_duration_seconds&from=now-1y',
  'explore-table': () => '/explore?expr=probe_success&view=table',
  'explore-explain': () => `/explore?expr=${encodeURIComponent('max by (instance) (max_over_time(probe_duration_seconds{job="blackbox"}[5m])) > 0.1')}&from=now-30m&explain=1`,
  postmortems: () => '/pm',
  postmortem: () => `/pm/${made.postmortem}`,
  runbook: () => '/runbooks/host#hostoutofmemory',
  nowhere: () => '/nowhere',
}
const EMPTY = { 'empty-wall': '/', 'empty-incidents': '/i', 'empty-alerts': '/alerts', 'empty-rules': '/rules', 'empty-agents': '/agents', 'empty-oncall': '/oncall', 'empty-people': '/people', 'empty-postmortems': '/pm' }

describe('every view', { concurrency: 3 }, () => {
  for (const { width, theme } of LOOKS) {
    const visit = async (page, where, path) => {
      await page.goto(path)
      await settle(page)
      await page.screenshot({ path: join(SHOTS, `${where}.png`), fullPage: true })
      await assertAccessible(page, where)
      await assertClean(page, where)
    }
    test(`${theme} ${width}: every view with something in it`, async (t) => {
      const page = await open(browser, alertd, { theme, width })
      for (const [name, path] of Object.entries(VIEWS)) await t.test(name, () => visit(page, `${name}-${theme}-${width}`, alertd.url + path()))
      await page.context().close()
    })
    test(`${theme} ${width}: every view of a new installation`, async (t) => {
      const page = await open(browser, empty, { theme, width })
      for (const [name, path] of Object.entries(EMPTY)) await t.test(name, () => visit(page, `${name}-${theme}-${width}`, empty.url + path))
      await page.context().close()
    })
    test(`${theme} ${width}: the login page`, async () => {
      const page = await open(browser, alertd, { theme, width, token: null, path: '/alerts' })
      await page.waitForURL(/\/login\?next=%2Falerts/)
      await page.screenshot({ path: join(SHOTS, `login-${theme}-${width}.png`) })
      await assertAccessible(page, 'login')
      await assertClean(page, 'login')
      await page.context().close()
    })
    test(`${theme} ${width}: why an alert was sent`, async () => {
      const page = await open(browser, alertd, { theme, width, path: `/i/${made.shop}` })
      await settle(page)
      await page.getByRole('button', { name: 'Why?' }).click()
      await page.waitForSelector('dialog[open] .ladder li')
      await page.screenshot({ path: join(SHOTS, `why-${theme}-${width}.png`) })
      await assertAccessible(page, 'why')
      await assertClean(page, 'why')
      await page.context().close()
    })
    test(`${theme} ${width}: the keys, and what lies behind More`, async () => {
      const page = await open(browser, alertd, { theme, width, path: `/i/${made.shop}` })
      await settle(page)
      if (width > 600) {
        await page.locator('#main').focus()
        await page.keyboard.press('?')
        await page.waitForSelector('dialog[open]')
      } else {
        await page.getByRole('button', { name: 'More' }).click()
        await page.waitForSelector('.sheet')
      }
      await page.screenshot({ path: join(SHOTS, `keys-${theme}-${width}.png`) })
      await assertAccessible(page, 'keys')
      await assertClean(page, 'keys')
      await page.context().close()
    })
  }
})
