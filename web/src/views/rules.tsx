// Rules: what can page us, and how healthy it is.

import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { query, setQuery } from '../app/router.ts'
import type { Rule, RuleGroup } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { formatDuration, formatTook } from '../lib/time.ts'
import { Icon } from '../ui/icon.tsx'
import { Chips, Empty, Page, Panel, Severity, Shown, State } from '../ui/parts.tsx'
import { Ago } from '../ui/time.tsx'

const SHOW: Record<string, (rule: Rule) => boolean> = {
  '': () => true,
  firing: (rule) => rule.state === 'firing',
  pending: (rule) => rule.state === 'pending',
  broken: (rule) => rule.health === 'err',
}

function Row({ rule }: { rule: Rule }) {
  return (
    <tr>
      <td>{rule.type === 'recording' ? <span class="state idle"><Icon name="explore" size={14} />Recording</span> : <State state={rule.health === 'err' ? 'err' : rule.health === 'unknown' ? 'unknown' : rule.state} {...(rule.n_firing > 1 ? { words: `${rule.n_firing} firing` } : {})} />}</td>
      <td class="wide">
        <a data-row class="row-name" href={`/rules/${rule.id}`}>{rule.name}</a> <Severity severity={rule.labels['severity']} />
        <div class="mono one-line" title={rule.expr}>{rule.expr}</div>
        {rule.last_error && <div class="bad-ink">{rule.last_error_at?.line && <b>{rule.last_error_at.file}:{rule.last_error_at.line}:{rule.last_error_at.column}: </b>}{rule.last_error}</div>}
      </td>
      <td class="num right" data-head="For">{rule.for_ms > 0 ? formatDuration(rule.for_ms) : <span class="dim">at once</span>}</td>
      <td class="num right" data-head="Fired in 30 d">{rule.type === 'alerting' ? rule.fired_30d : ''}</td>
      <td class="num right" data-head="Samples">{rule.last_evaluation === null || rule.health === 'err' ? '' : rule.samples.toLocaleString('en')}</td>
      <td class="num right" data-head="Took">{rule.evaluation_ms === null ? '' : formatTook(rule.evaluation_ms)}</td>
    </tr>
  )
}

function Group({ group, rules }: { group: RuleGroup; rules: Rule[] }) {
  return (
    <section class="panel">
      <header class="group-head">
        <h2>{group.name}</h2>
        <span class="dim mono">{group.source}</span>
        {group.health !== 'ok' && <State state={group.health} />}
        <span class="group-facts dim">every {formatDuration(group.interval_ms)} · evaluated <Ago at={group.last_evaluation} never="not yet" />{group.evaluation_ms !== null && <> in {formatTook(group.evaluation_ms)}</>}</span>
      </header>
      <table class="list">
        <thead><tr><th>State</th><th>Rule</th><th class="right">For</th><th class="right">Fired in 30 d</th><th class="right">Samples</th><th class="right">Took</th></tr></thead>
        <tbody>{rules.map((rule) => <Row key={rule.id} rule={rule} />)}</tbody>
      </table>
    </section>
  )
}

export function Rules() {
  pageTitle.value = 'Rules'
  const data = useData<{ groups: RuleGroup[] }>('/api/alertd/v1/rules', ['rules', 'alerts'], 15_000)
  const show = query('show') in SHOW ? query('show') : ''
  const filter = query('q').toLowerCase()
  return (
    <Page title="Rules" lead="What can page you, and how healthy it is." actions={<><a class="button" href="/rules/review"><Icon name="report" size={16} /> Review</a><a class="button" href="/api/alertd/v1/rules/export" download="rules.yml"><Icon name="download" size={16} /> As one file</a></>}>
      <Shown data={data} what="Rules could not be read">{({ groups }) => {
        const all = groups.flatMap((group) => group.rules)
        if (all.length === 0) {
          return <Panel><Empty icon="rules" title="No rules yet"><p>Any Prometheus rule file will do: <code>alertctl import rules/host/alerts.yml</code>, or start alertd with <code>--rules.import='rules/*/alerts.yml'</code>.</p></Empty></Panel>
        }
        const matching = (rule: Rule) => `${rule.name} ${rule.expr} ${Object.values(rule.labels).join(' ')}`.toLowerCase().includes(filter)
        const shown = groups
          .map((group) => ({ group, rules: group.rules.filter((rule) => SHOW[show]?.(rule) && (matching(rule) || group.name.toLowerCase().includes(filter))) }))
          .filter(({ rules }) => rules.length > 0)
        return (
          <>
            <div class="filters">
              <Chips name="Show" value={show} onChoose={(value) => setQuery({ show: value })} choices={[
                { value: '', words: 'All', n: all.length },
                ...(['firing', 'pending', 'broken'] as const).map((value) => ({ value, words: { firing: 'Firing', pending: 'Pending', broken: 'Broken' }[value], n: all.filter(SHOW[value]!).length })),
              ]} />
              <input data-filter type="search" placeholder="Filter by name, label or expression" aria-label="Filter rules" value={query('q')} onInput={(event) => setQuery({ q: event.currentTarget.value })} />
            </div>
            {shown.length === 0 && <Panel><Empty icon="rules" title={show === 'broken' ? 'No rule is broken' : 'No rule matches'}><button type="button" onClick={() => setQuery({ q: '', show: '' })}>Show all {count(all.length, 'rule')}</button></Empty></Panel>}
            <div class="stack">{shown.map(({ group, rules }) => <Group key={`${group.source} ${group.name}`} group={group} rules={rules} />)}</div>
          </>
        )
      }}</Shown>
    </Page>
  )
}
