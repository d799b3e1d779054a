// Alerts: many at once, triaged by name. Each row answers "is this normal?".

import { useEffect, useState } from 'preact/hooks'
import { prom } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { query, setQuery } from '../app/router.ts'
import type { PromAlert, PromResult, RuleGroup } from '../app/types.ts'
import { type AlertGroup, groupAlerts, matches, ownLabels } from '../lib/alerts.ts'
import { count, formatValue } from '../lib/number.ts'
import { HOUR } from '../lib/time.ts'
import { Held } from '../ui/held.tsx'
import { type Hour, Hours } from '../ui/hours.tsx'
import { Icon } from '../ui/icon.tsx'
import { Chips, Empty, Labels, Page, Panel, Severity, Shown, State } from '../ui/parts.tsx'
import { Age } from '../ui/time.tsx'
import { Why } from '../ui/why.tsx'

const HISTORY = 'sum by (alertname) (count_over_time(ALERTS{alertstate="firing"}[1h]))'

/** The last 24 hours of every alert, in one question; without an answer rows go without. */
function useHistory(): Map<string, Hour[]> {
  const [hours, setHours] = useState(new Map<string, Hour[]>())
  useEffect(() => {
    const end = Math.ceil(Date.now() / HOUR) * HOUR
    const form = { query: HISTORY, start: String((end - 23 * HOUR) / 1000), end: String(end / 1000), step: '3600' }
    prom<PromResult>('query_range', form).then((answer) => {
      if (answer.resultType !== 'matrix') return
      setHours(new Map(answer.result.map((series) => {
        const at = new Map(series.values.map(([s, value]) => [s * 1000, Number(value)]))
        return [series.metric['alertname'] ?? '', Array.from({ length: 24 }, (_, i) => {
          const closesMs = end - (23 - i) * HOUR
          return { atMs: closesMs - HOUR, fired: at.get(closesMs) ?? 0 }
        })]
      })))
    }).catch(() => undefined)
  }, [])
  return hours
}

function Instance({ alert, group, onPick }: { alert: PromAlert; group: AlertGroup; onPick: (word: string) => void }) {
  const own = ownLabels(alert, group.shared)
  const summary = alert.annotations['summary'] ?? alert.annotations['description']
  return (
    <tr class={alert.state}>
      <td><State state={alert.state} /></td>
      <td class="wide">{summary && <div class="summary">{summary}</div>}<Labels labels={own} onPick={onPick} /> <Why of={{ labels: alert.labels }} /></td>
      <td class="num right" data-head="Value">{formatValue(alert.value)}</td>
      <td class="num right" data-head="For"><Age atMs={Date.parse(alert.activeAt)} /></td>
    </tr>
  )
}

function Group({ group, hours, fired30d, ruleId, onPick }: { group: AlertGroup; hours: Hour[] | undefined; fired30d: number | undefined; ruleId: number | undefined; onPick: (word: string) => void }) {
  return (
    <section class={`panel alert-group ${group.state}`}>
      <header>
        <State state={group.state} words={group.nFiring > 0 ? `${group.nFiring} firing` : `${group.nPending} pending`} />
        <h2>{ruleId === undefined ? group.name : <a data-row href={`/rules/${ruleId}`}>{group.name}</a>}</h2>
        <Severity severity={group.severity} />
        {group.nFiring > 0 && group.nPending > 0 && <span class="dim">and {group.nPending} pending</span>}
        <span class="normal">
          {fired30d !== undefined && <span class="dim" title="How often this rule fired in the last 30 days">{fired30d === 0 ? 'first time in 30 days' : `fired ${count(fired30d, 'time')} in 30 days`}</span>}
          {hours && <span class="small-hours"><Hours hours={hours} what={`${group.name} fired`} height={24} /></span>}
        </span>
      </header>
      {Object.keys(group.shared).length > 0 && <p class="shared"><span class="dim">all have</span> <Labels labels={group.shared} onPick={onPick} /></p>}
      <table class="list">
        <thead><tr><th>State</th><th>Which</th><th class="right">Value</th><th class="right">For</th></tr></thead>
        <tbody>{group.alerts.map((alert) => <Instance key={JSON.stringify(alert.labels)} alert={alert} group={group} onPick={onPick} />)}</tbody>
      </table>
    </section>
  )
}

export function Alerts() {
  pageTitle.value = 'Alerts'
  const data = useData<{ data: { alerts: PromAlert[] } }>('/api/v1/alerts', ['alerts'], 15_000)
  const rules = useData<{ groups: RuleGroup[] }>('/api/alertd/v1/rules', ['rules'], 60_000).value
  const hours = useHistory()
  const state = query('state')
  const filter = query('q')
  const byName = new Map((rules?.groups ?? []).flatMap((group) => group.rules).map((rule) => [rule.name, rule]))
  const pick = (word: string) => setQuery({ q: filter.split(/\s+/).includes(word) ? filter : `${filter} ${word}`.trim() }, { push: true })
  const nRules = [...byName.values()].filter((rule) => rule.type === 'alerting').length

  return (
    <Page title="Alerts" lead="What is true right now, grouped by name.">
      <Shown data={data} what="Alerts could not be read">{({ data: { alerts } }) => {
        const filtered = alerts.filter((alert) => matches(alert.labels, filter))
        const shown = filtered.filter((alert) => !state || alert.state === state)
        return (
          <>
            <div class="filters">
              <Chips name="State" value={state} onChoose={(value) => setQuery({ state: value })} choices={[
                { value: '', words: 'All', n: filtered.length },
                { value: 'firing', words: 'Firing', n: filtered.filter((alert) => alert.state === 'firing').length },
                { value: 'pending', words: 'Pending', n: filtered.filter((alert) => alert.state === 'pending').length },
              ]} />
              <input data-filter type="search" placeholder="Filter: a word, or job=node" aria-label="Filter alerts" value={filter} onInput={(event) => setQuery({ q: event.currentTarget.value })} />
            </div>
            {shown.length === 0 && (
              <Panel>{alerts.length === 0
                ? <Empty icon="check" title="Nothing fires, nothing is pending">
                    <p>{nRules > 0 ? <>{count(nRules, 'alerting rule')} watching. <a href="/rules">What can page you</a></> : <>No rules are loaded: <code>alertctl import rules/host/alerts.yml</code> loads a first pack.</>}</p></Empty>
                : <Empty icon="alerts" title="No alert matches"><button type="button" onClick={() => setQuery({ q: '', state: '' })}>Show all {alerts.length}</button></Empty>}
              </Panel>
            )}
            <Held items={groupAlerts(shown)} keyOf={(group) => group.name} class="stack">
              {(group, gone) => (
                <div key={group.name} class={gone ? 'gone' : ''}>
                  <Group group={group} hours={hours.get(group.name)} fired30d={byName.get(group.name)?.fired_30d} ruleId={byName.get(group.name)?.id} onPick={pick} />
                </div>
              )}
            </Held>
            {shown.length > 0 && <p class="foot dim"><Icon name="alerts" size={14} /> Click a label to filter by it. The address keeps the filter: paste it to someone.</p>}
          </>
        )
      }}</Shown>
    </Page>
  )
}
