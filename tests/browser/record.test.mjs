// The incident record and its document: an incident run by keyboard alone, two editors of one
// section, a document published, and hostile text before a real server that takes reports of
// what the policy refused.

import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Alertd, seed, until } from './daemon.mjs'
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

const at = async (path, options = {}) => {
  const page = await open(browser, alertd, { path, ...options })
  await settle(page)
  return page
}
const rows = async (key, query = '') => (await alertd.get(`${V1}/incidents/${key}/events?limit=500&${query}`)).events
const document = (id = made.postmortem) => alertd.get(`${V1}/postmortems/${id}`)
const section = async (name) => (await document()).sections.find((one) => one.id === name)

test('an incident, by keyboard alone', async () => {
  const page = await at(`/i/${made.shop}`)
  const keys = page.keyboard
  await page.locator('#main').focus()
  await keys.press('a')
  await until('it is acknowledged', async () => (await alertd.get(`${V1}/incidents/${made.shop}`)).status === 'acknowledged')

  await keys.press('n')
  for (const line of ['h: the pool is exhausted', 'h: the gateway is slow', 'c: told the call centre']) {
    await keys.type(line)
    await keys.press('Enter')
    await page.waitForFunction(() => document.activeElement?.id === 'note' && document.activeElement.value === '')
  }
  await page.locator('.hypotheses .event', { hasText: 'the gateway is slow' }).waitFor()
  await keys.press('Escape')

  // To the row with the focus: refute one, confirm the other, pin what was told.
  const walkTo = async (words) => {
    for (let i = 0; i < 40; i++) {
      if (await page.evaluate((text) => document.activeElement?.classList.contains('event') && document.activeElement.textContent.includes(text), words)) return
      await keys.press('j')
    }
    assert.fail(`j never came to ${words}`)
  }
  await page.locator('#main').focus()
  await walkTo('the gateway is slow')
  await keys.press('f')
  await until('it is refuted', async () => (await rows(made.shop)).some((row) => row.text === 'the gateway is slow' && row.hypothesis === 'refuted'))
  await page.locator('#main').focus()
  await walkTo('the pool is exhausted')
  await keys.press('y')
  await until('it is confirmed', async () => (await rows(made.shop)).some((row) => row.text === 'the pool is exhausted' && row.hypothesis === 'confirmed'))
  await page.locator('#main').focus()
  await walkTo('told the call centre')
  await keys.press('p')
  await until('it is pinned', async () => (await rows(made.shop, 'pinned=1')).some((row) => row.text === 'told the call centre'))

  await page.locator('#main').focus()
  await keys.press('r')
  await page.getByText(`${made.shop} will be resolved`).waitFor()
  await keys.press('u')
  assert.equal((await alertd.get(`${V1}/incidents/${made.shop}`)).status, 'acknowledged')
  await assertClean(page, 'by keyboard')
  await page.context().close()
})

test('what happened is on one axis: lanes and graphs begin and end at the same place', async () => {
  const page = await at(`/i/${made.shop}`)
  const edges = await page.evaluate(() => {
    const box = (at) => { const { left, right } = at.getBoundingClientRect(); return [Math.round(left), Math.round(right)] }
    return { lane: box(document.querySelector('.lane-track')), graph: box(document.querySelector('.u-over')) }
  })
  assert.ok(Math.abs(edges.lane[0] - edges.graph[0]) <= 2 && Math.abs(edges.lane[1] - edges.graph[1]) <= 2, JSON.stringify(edges))
  await page.context().close()
})

test('a mark that somebody set says so, and its history stays', async () => {
  await alertd.call('PUT', `${V1}/incidents/${made.disk}/marks`, { marks: [{ name: 'trigger', at: new Date(Date.now() - 60_000).toISOString(), reason: 'archiving was stopped' }] })
  await alertd.call('PUT', `${V1}/incidents/${made.disk}/marks`, { marks: [{ name: 'trigger', at: null, reason: 'nobody is sure' }] })
  const page = await at(`/i/${made.disk}`)
  await page.locator('.mark-history summary', { hasText: '2 changes by people' }).click()
  const words = await page.locator('.mark-history ol').innerText()
  assert.match(words, /trigger said to be not known[\s\S]*nobody is sure[\s\S]*trigger set to[\s\S]*archiving was stopped/)
  await page.context().close()
})

test('what is out of sight of a document is not drawn, and is found, printed, linked to and reached by keys', async () => {
  const page = await at(`/pm/${made.postmortem}`)
  const last = page.locator('.section').last()
  assert.equal(await last.evaluate((box) => getComputedStyle(box).contentVisibility), 'auto')
  const inSight = () => last.evaluate((box) => { const { top, bottom } = box.getBoundingClientRect(); return top < innerHeight && bottom > 0 })
  assert.equal(await inSight(), false)
  const words = await last.evaluate((box) => [...box.querySelectorAll('p, li, td, h2, h3')].at(-1).textContent.trim().slice(0, 30))
  assert.ok(await page.evaluate((text) => {
    const box = [...document.querySelectorAll('.section')].at(-1)
    getSelection().removeAllRanges()
    for (let n = 0; n < 30 && window.find(text); n++) if (box.contains(getSelection().anchorNode)) return true
    return false
  }, words), `the browser finds "${words}"`)
  await page.evaluate(() => { getSelection().removeAllRanges(); scrollTo(0, 0) })
  const id = await last.getAttribute('id')
  await page.evaluate((to) => { location.hash = to }, id)
  await until('its link leads to it', inSight)
  await page.evaluate(() => scrollTo(0, 0))
  await last.locator('a, button, summary, [tabindex="0"]').last().focus()
  await until('keys reach it', inSight)
  await page.emulateMedia({ media: 'print' })
  assert.equal(await last.evaluate((box) => getComputedStyle(box).contentVisibility), 'visible')
  await page.context().close()
})

test('two editors of one section: the second sees both texts and what differs, and chooses', async () => {
  const [one, two] = await Promise.all([at(`/pm/${made.postmortem}`), at(`/pm/${made.postmortem}`)])
  for (const page of [one, two]) {
    await page.getByRole('button', { name: 'Write Summary' }).click()
    await page.getByLabel('Markdown of Summary').waitFor()
  }
  const write = (page, text) => page.getByLabel('Markdown of Summary').fill(text)
  await write(two, 'The disk of db-2 was full.\n\nSecond wrote this.')
  await write(one, 'The disk of db-2 was full.\n\nFirst wrote this.')
  const conflict = async () => (await one.locator('.editing .conflict').count()) + (await two.locator('.editing .conflict').count()) > 0
  await until('one of them is told', conflict)
  const late = (await one.locator('.editing .conflict').count()) > 0 ? one : two
  const mine = late === one ? 'First' : 'Second'
  late.noticed.length = 0 // the browser itself reports the 409
  assert.match(await late.getByLabel('Your version').innerText(), new RegExp(`${mine} wrote this`))
  assert.match(await late.getByLabel('Their version').innerText(), new RegExp(`${mine === 'First' ? 'Second' : 'First'} wrote this`))
  await late.getByText('What differs').click()
  await late.locator('.conflict .added', { hasText: `${mine} wrote this` }).waitFor()
  await late.getByRole('button', { name: 'Keep mine' }).click()
  await until('mine is saved', async () => (await section('summary')).body.includes(`${mine} wrote this`))
  const other = late === one ? two : one
  await other.getByRole('button', { name: 'Done' }).click()
  await other.locator('#s-summary .document', { hasText: `${mine} wrote this` }).waitFor() // what others save comes by itself
  await late.getByRole('button', { name: /^Revision/ }).click()
  await late.getByRole('button', { name: 'What it changed' }).first().click()
  await late.locator('dialog .diff .added', { hasText: `${mine} wrote this` }).waitFor()
  await assertClean(late, 'the conflict')
  await Promise.all([one.context().close(), two.context().close()])
})

test('two editors of a service: what differs is shown, nothing is lost', async () => {
  const path = `${V1}/services/checkout`
  await alertd.call('PUT', path, { owner: 'team shop', when_down: 'Nobody can buy.' })
  const page = await at('/services/checkout')
  await page.getByText('Nobody can buy.').waitFor()
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByLabel('Owner').fill('team payments')
  await alertd.call('PUT', path, { owner: 'team shop', when_down: 'Nobody can buy; the call centre takes orders.' })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.locator('.conflict .removed', { hasText: 'the call centre' }).waitFor()
  page.noticed.length = 0 // the browser itself reports the 409
  await assertAccessible(page, 'a service in conflict')
  await page.getByRole('button', { name: 'Keep mine' }).click()
  await until('mine is saved', async () => (await alertd.get(path)).spec.owner === 'team payments')
  await page.getByText('team payments').waitFor()
  await page.context().close()
})

test('search finds rows and documents, and the address keeps the words', async () => {
  await alertd.post(`${V1}/incidents/${made.disk}/notes`, { text: 'the archiver had lost its credentials' })
  const page = await at('/search')
  await page.getByLabel('Words').fill('archiver credentials')
  await page.locator('.found', { hasText: 'lost its credentials' }).waitFor()
  assert.match(page.url(), /\?q=archiver\+credentials|\?q=archiver%20credentials/)
  await assertClean(page, 'search')
  await page.context().close()
})

const HOSTILE = [
  '[a](javascript:alert(1))', '[a](JaVaScRiPt:alert(1))', '[a](javascript&colon;alert(1))', '[a](&#106;avascript:alert(1))', '[a](java&Tab;script:alert(1))',
  '[a](&#1;javascript:alert(1))', '<javascript:alert(1)>', '[a](data:text/html,<script>alert(1)</script>)', '![x](data:image/svg+xml,<svg/onload=alert(1)>)', '[a](vbscript:msgbox)',
  '<script>fetch("SINK/run")</script>', '<img src="SINK/img.png" onerror=alert(1)>', '![a"onload="alert(1)](SINK/md.png "t\\"onload=\\"alert(1)")', '<link rel=stylesheet href="SINK/style.css">',
  '```"><script>alert(1)</script>\nx\n```', '[a](//evil.example/)', '<iframe src="SINK/frame"></iframe>', '<form action="SINK/form"><button>x</button></form>', `${'>'.repeat(5000)} deep`,
].join('\n\n')

/** A server that should never hear anything. */
async function sink() {
  const asked = []
  const server = createServer((from, to) => {
    asked.push(`${from.method} ${from.url}`)
    to.writeHead(204, { 'Access-Control-Allow-Origin': '*' }).end()
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return { asked, url: `http://127.0.0.1:${server.address().port}`, close: () => { server.close(); server.closeAllConnections() } }
}

/** In front of alertd: its answers as they are, but that its policy names where to report to. */
async function reporting() {
  const reports = []
  const server = createServer((from, to) => {
    if (from.url === '/reports') {
      let body = ''
      from.on('data', (piece) => { body += piece })
      from.on('end', () => { reports.push(body); to.writeHead(204).end() })
      return
    }
    const url = new URL(from.url, alertd.url)
    const headers = { ...from.headers, host: url.host, ...(from.headers.origin ? { origin: url.origin } : {}), ...(from.headers.referer ? { referer: url.href } : {}) }
    const call = request(url, { method: from.method, headers }, (answer) => {
      const policy = answer.headers['content-security-policy']
      to.writeHead(answer.statusCode, { ...answer.headers, ...(policy ? { 'content-security-policy': `${policy}; report-uri /reports` } : {}) })
      answer.pipe(to)
    })
    call.on('error', () => to.destroy())
    to.on('close', () => call.destroy())
    from.pipe(call)
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return { reports, url: `http://127.0.0.1:${server.address().port}`, close: () => { server.close(); server.closeAllConnections() } }
}

test('hostile Markdown and labels before a sink of reports: nothing runs, nothing is requested, nothing is refused', async () => {
  const [outside, front] = await Promise.all([sink(), reporting()])
  const bad = (words) => words.replaceAll('SINK', outside.url)
  const lessons = await section('lessons')
  await alertd.call('PUT', `${V1}/postmortems/${made.postmortem}/sections/lessons`, { markdown: bad(HOSTILE), revision: lessons.revision })
  await alertd.post(`${V1}/incidents/${made.disk}/notes`, { text: bad('<img src="SINK/note.png" onerror=alert(1)><script>alert(1)</script>') })
  await alertd.post('/api/v2/alerts', [{ labels: { alertname: '<img src=x onerror=alert(1)>', severity: '"><script>alert(1)</script>', url: bad('SINK/label'), runbook: 'javascript:alert(1)' }, annotations: { summary: bad('<iframe src="SINK/summary"></iframe>'), runbook_url: 'javascript:alert(1)' } }])
  const hostile = await until('the hostile alert is an incident', async () => (await alertd.get(`${V1}/incidents?status=all`)).incidents.find((one) => one.labels.alertname?.startsWith('<img')))

  const page = await open(browser, { url: front.url, token: alertd.token, auth: 'required' })
  const dialogs = []
  page.on('dialog', (dialog) => { dialogs.push(dialog.message()); void dialog.dismiss() })
  assert.match((await page.request.get(front.url)).headers()['content-security-policy'], /default-src 'none'.*report-uri \/reports/)
  const attributes = () => page.evaluate(() => [...document.querySelectorAll('main *')].flatMap((at) => [...at.attributes].filter((one) => /^on/i.test(one.name) || (/^(href|src|action|formaction)$/i.test(one.name) && !/^(https?:|mailto:|\/(?!\/)|#)/.test(one.value))).map((one) => `${at.tagName} ${one.name}=${one.value}`)))
  for (const [path, there] of [[`/i/${hostile.key}`, '.incident-page'], [`/i/${made.disk}`, '.event'], ['/alerts', 'main h1'], [`/search?q=${encodeURIComponent('onerror')}`, '.found'], [`/pm/${made.postmortem}`, '#s-lessons .document']]) {
    await page.goto(front.url + path)
    await page.locator(there).first().waitFor()
    await page.waitForTimeout(300)
    assert.deepEqual(await attributes(), [], path)
    assert.equal(await page.locator('main script, main iframe, main form[action], main link').count(), 0, path)
  }
  assert.deepEqual([outside.asked, front.reports, dialogs], [[], [], []])

  // The sink works: what a page does against its policy is reported to it, and still not requested.
  await page.evaluate((url) => { const image = new Image(); image.src = `${url}/proof.png`; document.querySelector('main').append(image) }, outside.url)
  await until('the report of the proof', () => front.reports.length > 0)
  assert.match(front.reports[0], /proof\.png|blocked-uri/)
  assert.deepEqual(outside.asked, [])

  // The one-file export, opened from disk.
  const html = await (await page.context().request.get(`${alertd.url}${V1}/postmortems/${made.postmortem}/export?format=html`)).text()
  const file = join(mkdtempSync(join(tmpdir(), 'watchbill-record-')), 'postmortem.html')
  writeFileSync(file, html)
  await page.goto(`file://${file}`)
  await page.waitForTimeout(300)
  assert.deepEqual(await page.evaluate(() => window.refused), [])
  assert.equal(await page.locator('script, iframe, img, link, form').count(), 0)
  assert.deepEqual([outside.asked, dialogs], [[], []])
  outside.close()
  front.close()
  await page.context().close()
})

test('publishing: what is missing is said, then it is frozen, and a correction is another version', async () => {
  const page = await at(`/pm/${made.postmortem}`)
  await page.getByText('Before it is published').waitFor()
  await page.getByRole('button', { name: 'Publish alone' }).click()
  await page.getByRole('button', { name: /Nobody else will read it first/ }).click()
  await page.locator('.toast.bad').waitFor()
  page.noticed.length = 0 // the browser itself reports the refusal
  assert.equal((await document()).status, 'draft')

  for (const one of (await document()).sections.filter(({ mode }) => mode === 'human')) {
    await alertd.call('PUT', `${V1}/postmortems/${made.postmortem}/sections/${one.id}`, { markdown: `- What people know about ${one.id}. #capacity`, revision: one.revision })
  }
  for (const action of (await document()).actions) await alertd.call('PUT', `${V1}/postmortem-actions/${action.id}`, { ...Object.fromEntries(['text', 'type', 'tag', 'proof_url', 'rule_draft', 'revision'].map((name) => [name, action[name]])), owner: 'ana', due_at: '2030-01-01T00:00:00Z', done_when: 'seen', state: 'done', reason: '' })
  for (const question of (await document()).questions) await alertd.post(`${V1}/postmortems/${made.postmortem}/answers`, { question: question.text, answer: 'nobody knows any more' })
  await page.reload()
  await settle(page)
  await page.getByRole('button', { name: 'Publish alone' }).click()
  await page.getByRole('button', { name: /Nobody else will read it first/ }).click()
  await until('it is published', async () => (await document()).status === 'published')
  await page.getByText('Version 1').waitFor()
  const frozen = await document()
  await assertClean(page, 'published')
  await assertAccessible(page, 'published')

  await page.getByRole('button', { name: 'Correct it' }).click()
  await until('it is a draft again', async () => (await document()).status === 'draft')
  await page.getByRole('button', { name: 'Write Summary' }).click()
  await page.getByLabel('Markdown of Summary').fill('Corrected.')
  await page.getByText('Saved', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'What changed since' }).click()
  await page.locator('dialog .diff .added', { hasText: 'Corrected.' }).waitFor()
  assert.equal((await document()).versions[0].sha256, frozen.versions[0].sha256)
  await page.context().close()
})

test('trends: what a published document says is counted, drawn, and in a table behind it', async () => {
  await alertd.call('PUT', `${V1}/services/node`, { description: 'hosts', match: { job: 'node' } })
  for (const width of [1280, 390]) {
    const page = await at('/pm/trends', { width })
    for (const behind of await page.locator('details.behind > summary').all()) await behind.click()
    await page.locator('tr', { hasText: '#capacity' }).locator('td', { hasText: /^1$/ }).first().waitFor()
    await page.getByRole('row', { name: /^node/ }).getByRole('link', { name: 'node' }).waitFor()
    await page.locator('.behind li', { hasText: 'What people know about factors.' }).waitFor()
    assert.ok(await page.locator('svg.trend a circle').count() >= 1)
    await assertClean(page, `trends ${width}`)
    await assertAccessible(page, `trends ${width}`)
    await page.context().close()
  }
})

test('a table of a team: a row that is wrong is named, what is saved counts, and what ships comes back', async () => {
  const page = await at('/pm/tables')
  const hints = page.locator('.panel', { hasText: 'Words worth a second look' })
  await hints.getByRole('button', { name: 'Add a phrase' }).click()
  const n = await hints.locator('.hint-row').count()
  await hints.getByRole('textbox', { name: `Phrase of row ${n}` }).fill('just')
  await hints.getByRole('button', { name: 'Save' }).click()
  await hints.getByRole('alert').filter({ hasText: `Row ${n}: kind: is missing` }).waitFor()
  page.noticed.length = 0 // the browser itself reports the refusal
  await hints.getByRole('textbox', { name: `Kind of row ${n}` }).fill('certainty')
  await hints.getByRole('textbox', { name: `Advice of row ${n}` }).fill('Leave it out.')
  await alertd.call('PUT', `${V1}/postmortem-tables/hints`, { rows: [], revision: 0 })
  await hints.getByRole('button', { name: 'Save' }).click()
  await page.locator('dialog', { hasText: 'Who changed it' }).getByText('What it said').waitFor()
  page.noticed.length = 0
  await page.keyboard.press('Escape')
  await hints.getByRole('button', { name: 'Go on with mine' }).click()
  await hints.getByRole('button', { name: 'Save' }).click()
  await until('it is saved', async () => (await alertd.get(`${V1}/postmortem-tables/hints`)).revision === 2)
  assert.equal((await alertd.get(`${V1}/postmortem-tables/hints`)).rows.at(-1).phrase, 'just')
  await assertClean(page, 'tables')
  await assertAccessible(page, 'tables')

  await hints.getByRole('button', { name: 'Back to what ships' }).click()
  await hints.getByRole('button', { name: /Yours is kept/ }).click()
  await until('what ships is back', async () => (await alertd.get(`${V1}/postmortem-tables/hints`)).ships)

  const choices = page.locator('.panel', { hasText: 'Which template an incident asks for' })
  await choices.getByRole('button', { name: 'Row 2 before the one above it' }).click()
  await choices.getByRole('button', { name: 'Save' }).click()
  await until('the rows changed places', async () => (await alertd.get(`${V1}/postmortem-tables/choices`)).rows[0].template === 'near-miss')
  await page.context().close()
})
