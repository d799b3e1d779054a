// A page of a real Chromium that notices everything: errors, refused content, what axe finds.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

const packages = createRequire(resolve(process.env.BROWSER_PACKAGES ?? '.', 'package.json'))
const { chromium } = packages('playwright-core')
const axe = readFileSync(packages.resolve('axe-core/axe.min.js'), 'utf8')
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'

export const launch = (more = {}) => chromium.launch({
  executablePath: CHROMIUM,
  ...more,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})

/** A page, logged in unless token is null; page.noticed collects what must not happen. */
export async function open(browser, alertd, { theme = 'light', width = 1280, token = alertd.token, path = '/' } = {}) {
  const phone = width < 600
  const context = await browser.newContext({ viewport: { width, height: phone ? 844 : 900 }, colorScheme: theme, hasTouch: phone, isMobile: phone, locale: 'en-GB', timezoneId: 'Europe/Paris' })
  await context.addInitScript(() => {
    window.refused = []
    document.addEventListener('securitypolicyviolation', (event) => window.refused.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`))
  })
  if (token && alertd.auth !== 'off') {
    const answer = await context.request.post(`${alertd.url}/api/alertd/v1/login`, { data: { token }, headers: { Origin: alertd.url } })
    assert.equal(answer.status(), 204, await answer.text())
  }
  const page = await context.newPage()
  page.noticed = []
  page.on('console', (message) => { if (message.type() === 'error') page.noticed.push(`console: ${message.text()} ${message.location().url}`) })
  page.on('pageerror', (error) => page.noticed.push(`thrown: ${error.stack}`))
  page.setDefaultTimeout(20000) // a busy machine is not a broken page
  await page.goto(alertd.url + path)
  return page
}

/** Until it is drawn anew. A browser without a screen may stop drawing until somebody asks it something again. */
const drawn = (page) => page.evaluate(() => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(done))
  setTimeout(done, 500)
}))

/** Until nothing loads any more: the view is what a person would look at. */
export async function settle(page) {
  await page.waitForSelector('main h1, main h3')
  await page.waitForFunction(() => !document.querySelector('.waiting'))
  await page.waitForFunction(() => [...document.querySelectorAll('.chart-box')].every((box) => box.querySelector('canvas')))
  await page.evaluate(() => document.fonts.ready.then(() => undefined))
  await drawn(page)
}

/** Until no colour is on its way to another: what lies between two themes has no contrast. */
export async function inTheme(page, theme) {
  await page.emulateMedia({ colorScheme: theme })
  await drawn(page)
  await page.waitForFunction(() => !document.getAnimations().some((one) => one instanceof CSSTransition && /color|fill|stroke/.test(one.transitionProperty)), null, { polling: 50 })
}

/** What is out of sight is laid out once it comes near: whoever looks at all of a page has all of it drawn. */
const drawAll = (page) => page.evaluate(() => {
  for (const one of document.querySelectorAll('main *')) if (getComputedStyle(one).contentVisibility === 'auto') one.style.contentVisibility = 'visible'
})

export async function assertClean(page, where) {
  await drawAll(page)
  assert.deepEqual(await page.evaluate(() => window.refused), [], `${where}: refused by the content security policy`)
  assert.deepEqual(page.noticed, [], `${where}: console errors`)
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(overflow <= 0, `${where}: ${overflow} px wider than the screen`)
  assert.deepEqual(await page.evaluate(textsOverTexts), [], `${where}: one text lies over another`)
}

/** In the page: pairs of texts of the main column whose lines cover each other. */
function textsOverTexts() {
  const lines = []
  const isClippedAway = (at) => at !== null && (getComputedStyle(at).clipPath !== 'none' || isClippedAway(at.parentElement))
  const walker = document.createTreeWalker(document.querySelector('main') ?? document.body, NodeFilter.SHOW_TEXT)
  for (let node; (node = walker.nextNode());) {
    const parent = node.parentElement
    if (!node.data.trim() || parent.closest('svg, pre, textarea, dialog, .chart-box') || !parent.checkVisibility({ opacityProperty: true })) continue
    if (isClippedAway(parent)) continue
    const range = document.createRange()
    range.selectNodeContents(node)
    for (const { left, right, top, bottom } of range.getClientRects()) if (right - left > 1) lines.push({ node, left, right, top, bottom, words: node.data.trim().slice(0, 40) })
  }
  const over = (a, b) => a.node !== b.node && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4
  return lines.flatMap((a, i) => lines.slice(i + 1).filter((b) => over(a, b)).map((b) => `"${a.words}" and "${b.words}"`)).slice(0, 5)
}

/** rules: what to tell axe to look at, where the rest was looked at in another look of the page. */
export async function assertAccessible(page, where, rules = {}) {
  await drawAll(page)
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe)
  const found = await page.evaluate(async (rules) => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'], preload: false, ...rules })
    return violations.filter((one) => ['serious', 'critical'].includes(one.impact))
      .map((one) => `${one.id}: ${one.nodes.slice(0, 4).map((node) => `${node.target.join(' ')} ${node.failureSummary?.split('\n')[1] ?? ''}`).join(' | ')}`)
  }, rules)
  assert.deepEqual(found, [], `${where}: axe`)
}

const SHOTS = process.env.SHOTS && resolve(process.env.SHOTS)
if (SHOTS) mkdirSync(SHOTS, { recursive: true })

/** A picture to be looked at by people, where SHOTS names a folder. */
export async function picture(page, name, fullPage = true) {
  if (SHOTS) await drawAll(page)
  if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage })
}
