// What a drag on the tuner's page takes, by the browser's own clock: from when the browser had the
// pointer's move until the frame that shows it was made.
//
//     event.timeStamp --handlers--> requestAnimationFrame --style, layout, paint--> the next task
//     |------------------------------- response ------------------------------------|
//               |--------------------- work -----------------------------------------|
//
// Response has the waiting for the next frame in it (16.7 ms apart), work has not; both have what other
// programs take from the machine. What the page itself took of a processor is told beside them.
//
//   ALERTD=build/alertd/alertd BROWSER_PACKAGES=build/tests/browser node tests/bench/bench_drag.mjs [SERIES DAYS [MOVES]]

import { cpus, loadavg } from 'node:os'
import { Alertd } from '../browser/daemon.mjs'
import { launch, open } from '../browser/page.mjs'
import { seedTuning } from '../browser/tuning.mjs'

const [series = 100, days = 30, moves = 240] = process.argv.slice(2).map(Number)

/** In the page: every move's response and work, in ms. */
function watch() {
  window.taken = []
  let began = 0
  const channel = new MessageChannel()
  let waiting = []
  channel.port1.onmessage = () => {
    const end = performance.now()
    for (const one of waiting) window.taken.push({ response: end - one.at, work: end - one.frame + one.handled })
    waiting = []
  }
  addEventListener('pointermove', (event) => {
    began = performance.now()
    const one = { at: event.timeStamp, handled: 0, frame: 0 }
    addEventListener('pointermove', () => { one.handled = performance.now() - began }, { once: true })
    requestAnimationFrame(() => {
      one.frame = performance.now()
      waiting.push(one)
      channel.port2.postMessage(0)
    })
  }, true)
}

const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * q))]
const figures = (list) => `median ${quantile(list, 0.5).toFixed(1)} ms, 95 % ${quantile(list, 0.95).toFixed(1)} ms, most ${Math.max(...list).toFixed(1)} ms`

async function dragged(page, what) {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
  const processorMs = async () => (await devtools.send('Performance.getMetrics')).metrics.find((one) => one.name === 'TaskDuration').value * 1000
  const line = page.locator('.tune-line')
  await line.scrollIntoViewIfNeeded()
  const graph = await page.locator('.tune-graph').boundingBox()
  const box = await line.boundingBox()
  const x = box.x + box.width / 2
  await page.mouse.move(x, box.y + box.height / 2)
  await page.mouse.down()
  await page.evaluate(() => { window.taken.length = 0 })
  const seen = new Set()
  let ownMs = -(await processorMs())
  for (let i = 0; i < moves; i++) {
    // Up and down over the whole plot.
    await page.mouse.move(x, graph.y + 30 + (graph.height - 80) * (0.5 + 0.5 * Math.sin((i / 40) * Math.PI)))
    if (i % 7 === 0) seen.add(await page.locator('.tune-reads dd').first().textContent())
  }
  ownMs += await processorMs()
  await page.mouse.up()
  const taken = await page.evaluate(() => window.taken)
  console.log(`${what}: ${taken.length} moves, ${seen.size} counts seen; response ${figures(taken.map((one) => one.response))}; work ${figures(taken.map((one) => one.work))}; processor ${(ownMs / taken.length).toFixed(1)} ms a move`)
}

const alertd = await new Alertd({ flags: ['--storage.retention.time=0'] }).start()
const browser = await launch()
try {
  const made = await seedTuning(alertd, { days, machines: series })
  const inc = made.bad.map((one) => `${Date.parse(one.from) / 1000}-${Date.parse(one.to) / 1000}`).join(',')
  const page = await open(browser, alertd)
  page.setDefaultTimeout(120_000)
  await page.goto(`${alertd.url}/rules/${made.ids.ShopSlow}/tune?from=${new Date(made.startMs).toISOString()}&to=${new Date(made.endMs).toISOString()}&inc=${inc}`)
  await page.waitForSelector('.tune-line')
  await page.waitForTimeout(4000) // what asks at rest has asked
  await page.evaluate(watch)
  console.log(`${cpus().length} cores, load ${loadavg()[0].toFixed(1)}; ${await page.locator('.tune-legend').innerText().then((text) => text.split('\n').find((one) => / series/.test(one)))}; ${days} days each minute; Chromium ${browser.version()}`)
  await dragged(page, 'threshold')
  await dragged(page, 'threshold again')
  await page.getByLabel('Keep firing for').selectOption(String(10 * 60_000)).catch(() => console.log('keep_firing_for cannot be chosen: not all series are in the browser'))
  await page.waitForTimeout(4000)
  await dragged(page, 'with keep_firing_for')
} finally {
  await browser.close()
  await alertd.close()
}
