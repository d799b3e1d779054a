// Why the rule is noisy as it is, each reason with what to try; and the shaded times as a table.

import type { Signal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { now, zone } from '../app/settings.ts'
import { count } from '../lib/number.ts'
import { formatAge, formatDuration, formatShort } from '../lib/time.ts'
import { alertsOf, type Model, type Setting, settingWords, timeAt, type ToldAlerts } from '../lib/tune.ts'
import { type Reason, spansOf, whyNoisy } from '../lib/tune_noise.ts'
import { silencePath } from '../lib/silence.ts'
import { Panel } from '../ui/parts.tsx'

const SPANS_SHOWN = 200

function Because({ reason, model, setting }: { reason: Reason; model: Model; setting: Signal<Setting> }) {
  const { setting: tried } = reason
  return (
    <li><p>{reason.words}</p>
      {tried && reason.change && <p class="row"><span>{reason.change}.</span> <button type="button" onClick={() => { setting.value = tried }}>Look at {tried.keepMs !== setting.peek().keepMs ? `kept ${formatDuration(tried.keepMs)}` : settingWords(model, tried)}</button></p>}
      {reason.kind === 'daily' && <p><a href={silencePath({ alertname: model.answer.rule.name })}>Silence those hours</a>, when it is known and harmless.</p>}
    </li>
  )
}

export function Noisy({ model, own, setting }: { model: Model; own: Setting; setting: Signal<Setting> }) {
  const shownZone = zone.value
  const why = useMemo(() => whyNoisy(model, own, shownZone), [model, shownZone])
  if (!why) return null
  const weeks = (Date.parse(model.answer.to) - Date.parse(model.answer.from)) / (7 * 86_400_000)
  if (why.reasons.length === 0 && why.alerts / weeks < 2) return null
  return (
    <Panel title="Why it fires so often" aside={<span class="dim">as it is: {count(why.alerts, 'alert')}</span>}>
      {why.reasons.length === 0
        ? <p class="pad dim">Its alerts have little in common: they are not short, not of the same hours, not of a few series, and do not come back at once.</p>
        : <ul class="tune-reasons">{why.reasons.map((one) => <Because key={one.kind} reason={one} model={model} setting={setting} />)}</ul>}
    </Panel>
  )
}

/** What is shaded, to be read. */
export function Spans({ model, rested, told }: { model: Model; rested: Setting; told: ToldAlerts | null }) {
  const spans = useMemo(() => (model.complete ? spansOf(alertsOf(model, rested)) : told && spansOf(told.alerts)), [model, rested, told])
  const at = (step: number) => formatShort(timeAt(model.answer, step), now.peek(), zone.value)
  if (!spans) return <details class="tune-table"><summary>The graph as a table</summary><p class="dim">It is listed when the hand rests.</p></details>
  return (
    <details class="tune-table"><summary>The graph as a table</summary>
      {spans.length === 0 ? <p class="dim">At {settingWords(model, rested)} it would not have fired.</p> : (
        <div class="scroll" tabIndex={0} role="region" aria-label="When it would have fired"><table class="list">
          <thead><tr><th>Fired</th><th>Over</th><th>Lasted</th><th>Alerts</th><th>In an incident</th></tr></thead>
          <tbody>{spans.slice(0, SPANS_SHOWN).map((one) => <tr key={one.from}><td>{at(one.from)}</td><td>{one.to >= model.answer.n_steps ? 'not yet' : at(one.to)}</td><td>{formatAge((one.to - one.from) * model.answer.step_ms)}</td><td class="num">{one.alerts}</td><td>{one.found ? 'yes' : 'no'}</td></tr>)}</tbody>
        </table></div>
      )}
      {spans.length > SPANS_SHOWN && <p class="dim">The first {SPANS_SHOWN} of {spans.length.toLocaleString('en')}.</p>}
    </details>
  )
}
