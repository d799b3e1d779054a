// Every view, light and dark, on a desk and on a phone: no error, nothing refused, nothing axe
// calls serious, nothing wider than the screen. With SHOTS=FOLDER pictures are kept there to be looked at.

import { after, before, describe, test } from 'node:test'
import { Alertd, DRILLS_FLAG, seed, seedPaging, seedServices } from './daemon.mjs'
import { assertAccessible, assertClean, inTheme, launch, open, picture, settle } from './page.mjs'
import { seedShadowing } from './shadowing.mjs'

let alertd, empty, browser, made

before(async () => {
  ;[alertd, empty, browser] = await Promise.all([new Alertd({ flags: [DRILLS_FLAG] }).start(), new Alertd({ auth: 'off', receivers: false }).start(), launch()])
  made = await seed(alertd)
  Object.assign(made, await seedPaging(alertd))
  Object.assign(made, await seedShadowing(alertd))
  await alertd.post(`/api/alertd/v1/rules/${made.rule}/canary`, { for_ms: 600_000 })
  await seedServices(alertd)
  made.drill = (await alertd.post('/api/alertd/v1/drills', { drill: '01-disk-filling', mode: 'solo', seed: 7, start: 'paused' })).id
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
  'incident-paged': () => `/i/${made.queue}`,
  alerts: () => '/alerts',
  silences: () => '/silences',
  'silence-new': () => `/silences?new=1&m=${encodeURIComponent('alertname="ShopDown"')}`,
  'silence-edit': () => `/silences?edit=${made.weekly}`,
  deliveries: () => '/deliveries',
  rules: () => '/rules',
  rule: () => `/rules/${made.rule}`,
  'rule-review': () => '/rules/review',
  tune: () => `/rules/${made.rule}/tune?from=now-1h`,
  canary: () => `/rules/${made.rule}/canary`,
  agents: () => '/agents',
  report: () => '/report',
  oncall: () => '/oncall',
  'oncall-edit': () => '/oncall?edit=db',
  'oncall-new': () => '/oncall?new=1',
  policy: () => '/oncall?policy=shop',
  'policy-new': () => '/oncall?newpolicy=1',
  people: () => '/people',
  shadowing: () => '/shadowing',
  'shadowing-one': () => '/shadowing?person=dan',
  'shadow-page': () => `/shadowing/${made.fresh}`,
  'shadow-page-compared': () => `/shadowing/${made.compared}`,
  'shadow-page-reverse': () => `/shadowing/${made.reverse}`,
  'incident-shadowed': () => `/i/${made.shadowed}`,
  drills: () => '/drills',
  'drill-play': () => `/drills/${made.drill}/play`,
  'drill-practice': () => '/drills/practice',
  readiness: () => '/readiness',
  'readiness-person': () => '/readiness/dan',
  explore: () => '/explore',
  'explore-graph': () => '/explore?expr=probe_duration_seconds&from=now-30m',
  'explore-rollup': () => '/explore?expr=probe_duration_seconds&from=now-1y',
  'explore-table': () => '/explore?expr=probe_success&view=table',
  'explore-explain': () => `/explore?expr=${encodeURIComponent('max by (instance) (max_over_time(probe_duration_seconds{job="blackbox"}[5m])) > 0.1')}&from=now-30m&explain=1`,
  services: () => '/services',
  service: () => '/services/checkout',
  'service-new': () => '/services/nothing-yet',
  search: () => '/search?q=shop',
  'search-new': () => '/search',
  trends: () => '/pm/trends',
  'postmortem-tables': () => '/pm/tables',
  postmortems: () => '/pm',
  postmortem: () => `/pm/${made.postmortem}`,
  runbook: () => '/runbooks/host#hostoutofmemory',
  nowhere: () => '/nowhere',
}
const EMPTY = { 'empty-wall': () => '/', 'empty-incidents': () => '/i', 'empty-alerts': () => '/alerts', 'empty-rules': () => '/rules', 'empty-rule-review': () => '/rules/review', 'empty-canary': () => '/rules/1/canary', 'empty-agents': () => '/agents', 'empty-silences': () => '/silences', 'empty-deliveries': () => '/deliveries', 'empty-oncall': () => '/oncall', 'empty-people': () => '/people', 'empty-shadowing': () => '/shadowing', 'empty-readiness': () => '/readiness', 'empty-postmortems': () => '/pm' }

// Half of the time is axe's, and most of that the contrasts: colours differ by theme only, the rest by width only.
const CONTRASTS = { runOnly: ['color-contrast'] }
const BUT_CONTRASTS = { rules: { 'color-contrast': { enabled: false } } }

/** What is open now, in both themes. */
async function look(page, name, width, fullPage = true) {
  for (const theme of ['light', 'dark']) {
    const where = `${name}-${theme}-${width}`
    await inTheme(page, theme)
    await picture(page, where, fullPage)
    if (width > 600) await assertAccessible(page, where, theme === 'dark' ? CONTRASTS : {})
    else if (theme === 'light') await assertAccessible(page, where, BUT_CONTRASTS)
    await assertClean(page, where)
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

describe('every view', { concurrency: 2 }, () => {
  for (const width of [1280, 390]) {
    const visits = (what, daemon, views) => test(`${width}: ${what}`, async (t) => {
      const page = await open(browser, daemon(), { width })
      for (const [name, path] of Object.entries(views)) {
        await t.test(name, async () => {
          await page.goto(daemon().url + path())
          await settle(page)
          await look(page, name, width)
        })
      }
      await page.context().close()
    })
    const names = Object.keys(VIEWS)
    const half = (from, to) => Object.fromEntries(names.slice(from, to).map((name) => [name, VIEWS[name]]))
    visits('every view with something in it', () => alertd, half(0, names.length / 2))
    visits('every view with something in it, the other half', () => alertd, half(names.length / 2))
    visits('every view of a new installation', () => empty, EMPTY)
    test(`${width}: the login page`, async () => {
      const page = await open(browser, alertd, { width, token: null, path: '/alerts' })
      await page.waitForURL(/\/login\?next=%2Falerts/)
      await look(page, 'login', width, false)
      await page.context().close()
    })
    test(`${width}: why an alert was sent`, async () => {
      const page = await open(browser, alertd, { width, path: `/i/${made.shop}` })
      await settle(page)
      await page.getByRole('button', { name: 'Why?' }).click()
      await page.waitForSelector('dialog[open] .why-ladder li')
      await look(page, 'why', width, false)
      await page.context().close()
    })
    test(`${width}: the keys, and what lies behind More`, async () => {
      const page = await open(browser, alertd, { width, path: `/i/${made.shop}` })
      await settle(page)
      if (width > 600) {
        await page.locator('#main').focus()
        await page.keyboard.press('?')
        await page.waitForSelector('dialog[open]')
      } else {
        await page.getByRole('button', { name: 'More' }).click()
        await page.waitForSelector('.sheet')
      }
      await look(page, 'keys', width, false)
      await page.context().close()
    })
  }
})
