// Agents: can the data be trusted? Freshness, clocks, what each probe last said, and what it takes.

import { useEffect } from 'preact/hooks'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { address, query, setQuery } from '../app/router.ts'
import type { Agent, Probe } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { formatDuration, formatTook } from '../lib/time.ts'
import { Chips, Empty, Missing, Page, Panel, Shown, State } from '../ui/parts.tsx'
import { Ago } from '../ui/time.tsx'
import { Storage } from './storage.tsx'

const SKEW_WARN_MS = 2000

function ProbeRow({ probe }: { probe: Probe }) {
  return (
    <tr>
      <td>{probe.success === null ? <State state="unknown" words="No result yet" /> : <State state={probe.success ? 'ok' : 'err'} words={probe.success ? 'Success' : 'Failure'} />}</td>
      <td class="wide"><b>{probe.name}</b> <span class="dim">{probe.kind}</span>{probe.target && <div class="mono one-line" title={probe.target}>{probe.target}</div>}</td>
      <td class="num right" data-head="Took">{probe.duration_ms === null ? '' : formatTook(probe.duration_ms)}</td>
      <td class="right" data-head="Last"><Ago at={probe.last_at} /></td>
    </tr>
  )
}

function AgentPanel({ agent }: { agent: Agent }) {
  const skew = agent.clock_skew_ms
  return (
    <section class={`panel agent ${agent.state}`} id={agent.id}>
      <header class="group-head">
        <h2><a data-row href={`#${encodeURIComponent(agent.id)}`}>{agent.id}</a></h2>
        <State state={agent.state} />
        <span class="group-facts dim">{agent.version && `version ${agent.version}`}</span>
      </header>
      <dl class="strip">
        <div><dt>Last push</dt><dd><Ago at={agent.last_push_at} /></dd></div>
        <div><dt>Pushes every</dt><dd>{agent.interval_ms > 0 ? formatDuration(agent.interval_ms) : 'unknown'}</dd></div>
        <div><dt>Series</dt><dd class="num">{agent.series.toLocaleString('en')}</dd></div>
        <div><dt>Its clock</dt><dd class={skew !== null && Math.abs(skew) > SKEW_WARN_MS ? 'warn-ink' : ''}>
          {skew === null ? 'unknown' : Math.abs(skew) < 100 ? 'agrees' : `${formatTook(Math.abs(skew))} ${skew > 0 ? 'ahead' : 'behind'}`}</dd></div>
      </dl>
      {agent.probes.length > 0
        ? <table class="list"><thead><tr><th>Result</th><th>Probe</th><th class="right">Took</th><th class="right">Last</th></tr></thead>
            <tbody>{agent.probes.map((probe) => <ProbeRow key={`${probe.name} ${probe.target}`} probe={probe} />)}</tbody></table>
        : <p class="dim pad">No probe results: this agent pushes samples only.</p>}
    </section>
  )
}

function Enrol() {
  return (
    <div class="enrol">
      <p>An agent watches one machine and pushes what it sees here.</p>
      <ol>
        <li><span>Make it a token that can only push:</span><pre class="code" tabIndex={0} aria-label="Command">alertctl token create --scope=push --agent=web-1 'agent on web-1'</pre></li>
        <li><span>Give it a config, <code>agent.yml</code>:</span><pre class="code" tabIndex={0} aria-label="Config">{`agent: web-1\npush:\n  url: ${location.origin}/api/v1/write\n  token_file: /etc/alert-agent/token\nprobes:\n  - name: host\n    kind: host\n    interval: 10s`}</pre></li>
        <li><span>Start it there:</span><pre class="code" tabIndex={0} aria-label="Command">alert-agent --config.file=agent.yml</pre></li>
      </ol>
    </div>
  )
}

export function Agents() {
  pageTitle.value = 'Agents'
  const data = useData<{ agents: Agent[]; warnings: string[] }>('/api/alertd/v1/agents', ['agents'], 10_000)
  const show = query('state')
  const wanted = decodeURIComponent(address.value.hash.slice(1))
  useEffect(() => {
    if (wanted) document.getElementById(wanted)?.scrollIntoView({ block: 'start' })
  }, [wanted, data.value === undefined])
  return (
    <Page title="Agents" lead="Who brings the data, how fresh it is, what each probe last said.">
      <Shown data={data} what="Agents could not be read">{({ agents, warnings }) => {
        if (agents.length === 0) return <Panel><Empty icon="agents" title="No agent pushes here yet"><Enrol /></Empty></Panel>
        const n = (state: string) => agents.filter((agent) => agent.state === state).length
        const rank = { lost: 0, late: 1, fresh: 2 }
        const shown = agents.filter((agent) => !show || agent.state === show).sort((a, b) => rank[a.state] - rank[b.state] || a.id.localeCompare(b.id))
        return (
          <>
            <Missing warnings={warnings} />
            <div class="filters">
              <Chips name="State" value={show} onChoose={(value) => setQuery({ state: value })} choices={[
                { value: '', words: 'All', n: agents.length }, { value: 'fresh', words: 'Fresh', n: n('fresh') },
                { value: 'late', words: 'Late', n: n('late') }, { value: 'lost', words: 'Silent', n: n('lost') }]} />
            </div>
            <div class="stack">{shown.map((agent) => <AgentPanel key={agent.id} agent={agent} />)}</div>
            {shown.length === 0 && <Panel><Empty icon="agents" title="No such agent"><button type="button" onClick={() => setQuery({ state: '' })}>Show {count(agents.length, 'agent')}</button></Empty></Panel>}
            <details class="panel more"><summary>Add an agent</summary><Enrol /></details>
          </>
        )
      }}</Shown>
      <Storage />
    </Page>
  )
}
