// One rule: what it asks, what it said lately, and how it came to be so.

import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { now } from '../app/settings.ts'
import type { RuleDetail, RuleVersion } from '../app/types.ts'
import { ExpressionChart } from '../chart/expression.tsx'
import { diffLines } from '../lib/diff.ts'
import { count } from '../lib/number.ts'
import { HOUR, MINUTE, formatDuration, formatTook } from '../lib/time.ts'
import { Icon } from '../ui/icon.tsx'
import { Empty, Labels, Page, Panel, Severity, Shown, State } from '../ui/parts.tsx'
import { Ago } from '../ui/time.tsx'

function Version({ version, before }: { version: RuleVersion; before: RuleVersion | undefined }) {
  const lines = before ? diffLines(before.yaml, version.yaml) : version.yaml.replace(/\n$/, '').split('\n').map((text) => ({ kind: 'same' as const, text }))
  return (
    <details class="version" open={before === undefined}>
      <summary><b>Version {version.version}</b> <span class="dim"><Ago at={version.at} /> from <span class="mono">{version.source}</span></span></summary>
      <pre class="code" tabIndex={0} aria-label={`Version ${version.version}`}>{lines.map((line, i) => (
        <span key={i} class={line.kind}>{before && <i aria-label={line.kind === 'same' ? undefined : line.kind}>{{ same: ' ', added: '+', removed: '-' }[line.kind]}</i>}{line.text}{'\n'}</span>
      ))}</pre>
    </details>
  )
}

function Facts({ rule }: { rule: RuleDetail }) {
  const annotations = Object.entries(rule.annotations)
  return (
    <aside class="column-side" aria-label="Facts">
      <Panel title="Facts">
        <dl class="facts">
          <div><dt>Evaluated</dt><dd><Ago at={rule.last_evaluation} never="not yet" /></dd></div>
          <div><dt>Took</dt><dd>{rule.evaluation_ms === null ? <span class="dim">unknown</span> : formatTook(rule.evaluation_ms)}</dd></div>
          {rule.type === 'alerting' && <>
            <div><dt>For</dt><dd>{rule.for_ms > 0 ? formatDuration(rule.for_ms) : 'fires at once'}</dd></div>
            {rule.keep_firing_for_ms > 0 && <div><dt>Keeps firing for</dt><dd>{formatDuration(rule.keep_firing_for_ms)}</dd></div>}
            <div><dt>Now</dt><dd>{rule.n_firing} firing, {rule.n_pending} pending</dd></div>
            <div><dt>In 30 days</dt><dd>fired {count(rule.fired_30d, 'time')}</dd></div>
          </>}
        </dl>
        {Object.keys(rule.labels).length > 0 && <p class="pad"><Labels labels={rule.labels} /></p>}
      </Panel>
      {annotations.length > 0 && (
        <Panel title="Says">
          <dl class="facts tall">{annotations.map(([name, text]) => (
            <div key={name}><dt>{name}</dt><dd>{/^https?:\/\//.test(text) ? <a href={text} target="_blank" rel="noreferrer">{text}</a> : text}</dd></div>
          ))}</dl>
        </Panel>
      )}
    </aside>
  )
}

export function Rule({ id }: { id: string }) {
  const data = useData<RuleDetail>(`/api/alertd/v1/rules/${encodeURIComponent(id)}`, ['rules', 'alerts'], 15_000)
  pageTitle.value = data.value?.name ?? 'Rule'
  if (data.error?.status === 404) return <Empty icon="rules" title="There is no such rule"><p><a href="/rules">All rules</a></p></Empty>
  const toMs = Math.ceil(now.value / MINUTE) * MINUTE
  return (
    <Shown data={data} what="The rule could not be read">{(rule) => {
      const versions = [...rule.versions].sort((a, b) => b.version - a.version)
      return (
        <Page title={rule.name} lead={<><a href="/rules">Rules</a> · {rule.type === 'recording' ? 'recording rule' : <State state={rule.health === 'ok' ? rule.state : rule.health} />} <Severity severity={rule.labels['severity']} /></>}
              actions={rule.type === 'alerting' ? <a class="button" href={`/alerts?q=${encodeURIComponent(`alertname=${rule.name}`)}`}><Icon name="alerts" size={16} /> Its alerts</a> : undefined}>
          <div class="columns">
            <div class="column-main">
              <Panel title="Expression" aside={<a href={`/explore?expr=${encodeURIComponent(rule.expr)}`}>Explore</a>}>
                <pre class="code" tabIndex={0} aria-label="Expression">{rule.expr}</pre>
                {rule.last_error && <p class="bad-ink pad" role="alert">{rule.last_error}</p>}
                <ExpressionChart expr={rule.expr} fromMs={toMs - 6 * HOUR} toMs={toMs} what={`${rule.name}, last 6 hours`} height={180} />
                <p class="foot dim">The last 6 hours. A comparison leaves a line only where it is true.</p>
              </Panel>
              <Panel title="Versions">
                {versions.map((version, i) => <Version key={version.version} version={version} before={versions[i + 1]} />)}
              </Panel>
            </div>
            <Facts rule={rule} />
          </div>
        </Page>
      )
    }}</Shown>
  )
}
