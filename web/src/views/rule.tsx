// One rule: what it asks, what it said lately, and how it came to be so.

import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { useKey } from '../app/keyboard.ts'
import { go } from '../app/router.ts'
import { now } from '../app/settings.ts'
import type { Canary as Candidate, Evaluation, RuleDetail, RuleVersion } from '../app/types.ts'
import { changeWords } from '../lib/canary.ts'
import { ExpressionChart } from '../chart/expression.tsx'
import { diffLines } from '../lib/diff.ts'
import { count } from '../lib/number.ts'
import { caretLine } from '../lib/promql.ts'
import { HOUR, MINUTE, formatDuration, formatTook } from '../lib/time.ts'
import { Measured } from '../ui/bar.tsx'
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
          <div><dt>Read</dt><dd>{rule.last_evaluation === null || rule.health === 'err' ? <span class="dim">unknown</span> : <>{count(rule.samples, 'sample')} of {count(rule.series, 'series', 'series')}</>}</dd></div>
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

/** The words, where in the file, and the line of the expression with a caret under it. */
function RuleError({ rule }: { rule: RuleDetail }) {
  const at = rule.last_error_at
  const caret = at?.expr_line && at.expr_column ? caretLine(rule.expr, { line: at.expr_line, column: at.expr_column, message: '' }) : null
  return (
    <div class="trouble query-error" role="alert">
      <Icon name="alarm" />
      <div>
        <p>{at?.line && <><b>{at.file}:{at.line}:{at.column}</b><br /></>}{rule.last_error}</p>
        {caret && <pre class="caret" tabIndex={0} aria-label={`Column ${at?.expr_column} of line ${at?.expr_line} of the expression`}>{caret.line}{'\n'}{' '.repeat(caret.indent)}^</pre>}
      </div>
    </div>
  )
}

/** The flight recorder: what the last evaluations read, gave and took. An error that is told
    above is not told again. */
function Evaluations({ list, told }: { list: Evaluation[]; told: string | null }) {
  if (list.length === 0) return null
  const most = Math.max(...list.map((one) => one.duration_ms))
  return (
    <Panel title="Last evaluations" aside={<span class="dim">newest first</span>}>
      <table class="list evaluations">
        <thead><tr><th>When</th><th>How</th><th class="right">Results</th><th class="right">Samples</th><th class="right">Series</th><th class="right">Took</th></tr></thead>
        <tbody>{list.map((one) => (
          <tr key={one.at}>
            <td><Ago at={one.at} never="never" /></td>
            <td class="wrap">{one.error ? <><State state="failed" /> {one.error !== told && <span class="bad-ink">{one.error}</span>}</> : <State state="ok" words="Fine" />}</td>
            <td class="num right" data-head="Results">{one.error ? '' : one.results.toLocaleString('en')}</td>
            <td class="num right" data-head="Samples">{one.error ? '' : one.samples.toLocaleString('en')}</td>
            <td class="num right" data-head="Series">{one.error ? '' : one.series.toLocaleString('en')}</td>
            <td class="num right" data-head="Took"><Measured part={most > 0 ? one.duration_ms / most : 0}>{formatTook(one.duration_ms)}</Measured></td>
          </tr>
        ))}</tbody>
      </table>
    </Panel>
  )
}

/** A changed rule that runs beside this one. */
function CandidateLine({ id }: { id: string }) {
  const data = useData<{ canaries: Candidate[] }>('/api/alertd/v1/canaries', ['rules'], 60_000)
  const one = data.value?.canaries.find((candidate) => String(candidate.rule_id) === id)
  return one ? <p class="banner info rule-candidate"><Icon name="report" size={18} /><span>A candidate runs beside it since <Ago at={one.since} never="" />: {changeWords(one.current, one.candidate)} <a href={`/rules/${id}/canary`}>Page by page</a></span></p> : null
}

export function Rule({ id }: { id: string }) {
  const data = useData<RuleDetail>(`/api/alertd/v1/rules/${encodeURIComponent(id)}`, ['rules', 'alerts'], 15_000)
  pageTitle.value = data.value?.name ?? 'Rule'
  useKey('t u', 'Tune it on its past', () => go(`/rules/${id}/tune`), 'Here', data.value?.type === 'alerting')
  if (data.error?.status === 404) return <Empty icon="rules" title="There is no such rule"><p><a href="/rules">All rules</a></p></Empty>
  const toMs = Math.ceil(now.value / MINUTE) * MINUTE
  return (
    <Shown data={data} what="The rule could not be read">{(rule) => {
      const versions = [...rule.versions].sort((a, b) => b.version - a.version)
      return (
        <Page title={rule.name} lead={<><a href="/rules">Rules</a> · {rule.type === 'recording' ? 'recording rule' : <State state={rule.health === 'ok' ? rule.state : rule.health} />} <Severity severity={rule.labels['severity']} /></>}
              actions={rule.type === 'alerting' ? <><a class="button" href={`/rules/${encodeURIComponent(id)}/tune`}><Icon name="report" size={16} /> Tune it</a><a class="button" href={`/alerts?q=${encodeURIComponent(`alertname=${rule.name}`)}`}><Icon name="alerts" size={16} /> Its alerts</a></> : undefined}>
          {rule.type === 'alerting' && <CandidateLine id={id} />}
          <div class="columns">
            <div class="column-main">
              <Panel title="Expression" aside={<a href={`/explore?expr=${encodeURIComponent(rule.expr)}`}>Explore</a>}>
                <pre class="code" tabIndex={0} aria-label="Expression">{rule.expr}</pre>
                {rule.last_error && <RuleError rule={rule} />}
                {!rule.last_error_at?.expr_line && <><ExpressionChart expr={rule.expr} fromMs={toMs - 6 * HOUR} toMs={toMs} what={`${rule.name}, last 6 hours`} height={180} />
                <p class="foot dim">The last 6 hours. A comparison leaves a line only where it is true.</p></>}
              </Panel>
              <Evaluations list={rule.evaluations} told={rule.last_error} />
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
