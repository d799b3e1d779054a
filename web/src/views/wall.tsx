// The wall: does anything need me? Answered in five seconds, from across the room.

import { acknowledge } from '../app/actions.ts'
import { may, me } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { useKey } from '../app/keyboard.ts'
import { ageMs, pulse } from '../app/live.ts'
import type { Agent, Overview, Watch } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { formatAge, formatTook, parseTime } from '../lib/time.ts'
import { reached, verdictOf } from '../lib/verdict.ts'
import { Hours } from '../ui/hours.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { IncidentRow } from '../ui/incident_row.tsx'
import { Held } from '../ui/held.tsx'
import { Empty, Panel, State, Trouble } from '../ui/parts.tsx'
import { Age, Ago } from '../ui/time.tsx'

const FACE: Record<string, IconName> = { bad: 'bang', warn: 'hand', ok: 'check', unknown: 'question' }

function Verdict({ overview }: { overview: Overview | undefined }) {
  const verdict = verdictOf(overview, pulse.value, ageMs.value)
  const evaluated = overview && overview.rules.rules > 0
  return (
    <section class={`verdict ${verdict.tone}`} aria-label="Does anything need me?">
      <span class="face"><Icon name={FACE[verdict.tone] ?? 'question'} size={34} /></span>
      <div class="verdict-words">
        <h1>{verdict.headline}</h1>
        {verdict.reasons.length > 0
          ? <p>{verdict.reasons.join(' · ')}</p>
          : evaluated && <p>{count(overview.rules.rules, 'rule')} watching, last evaluated <Ago at={overview.evaluation.last_at} />. <a href="/drills">Practise meanwhile</a></p>}
      </div>
      {overview && (
        <dl class="figures">
          <div><dt>Firing</dt><dd class={overview.n_firing > 0 ? 'bad' : ''}>{overview.n_firing}</dd></div>
          <div><dt>Pending</dt><dd class={overview.n_pending > 0 ? 'warn' : ''}>{overview.n_pending}</dd></div>
          <div><dt>Agents</dt><dd>{overview.agents.fresh}<small>/{overview.agents.fresh + overview.agents.late + overview.agents.lost}</small></dd></div>
        </dl>
      )}
    </section>
  )
}

function ToldPanel({ overview }: { overview: Overview }) {
  return (
    <Panel title="Who is told">
      {reached(overview).length === 0
        ? <Empty icon="sent" title="Nobody"><p>Add a receiver to <code>alertd.yml</code> (webhook, email, ntfy or a command), then reload: pages leave this machine only through one.</p></Empty>
        : <ul class="rows">{reached(overview).map((told) => (
          <li key={told.receiver}>
            <Icon name="sent" size={16} />
            <span class="grow"><b>{told.receiver}</b> <span class="dim">{told.kind}</span></span>
            {told.oldest_waiting_at
              ? <span class="warn-ink"><Icon name="clock" size={14} /> waiting for <Age atMs={parseTime(told.oldest_waiting_at) ?? 0} /></span>
              : <span class="dim">{told.last_sent_at ? <>told <Ago at={told.last_sent_at} /></> : 'nothing to tell yet'}</span>}
          </li>
        ))}</ul>}
    </Panel>
  )
}

function FreshnessPanel({ overview }: { overview: Overview }) {
  return (
    <Panel title="Is the data fresh?">
      <ul class="rows">
        <li><Icon name="rules" size={16} /><span class="grow">Evaluated</span>
          <span><Ago at={overview.evaluation.last_at} />{overview.evaluation.last_at !== null && overview.evaluation.max_ms !== null && <span class="dim" title="The slowest group's evaluation"> in {formatTook(overview.evaluation.max_ms)}</span>}</span></li>
        <li><Icon name="agents" size={16} /><span class="grow">Agents</span>
          <span>{overview.agents.fresh} fresh{overview.agents.late > 0 && <>, <b class="warn-ink">{overview.agents.late} late</b></>}{overview.agents.lost > 0 && <>, <b class="bad-ink">{overview.agents.lost} silent</b></>}</span></li>
        <li><Icon name="explore" size={16} /><span class="grow">Rules</span>
          <span>{overview.rules.rules - overview.rules.broken} of {overview.rules.rules} work{overview.rules.broken > 0 && <>, <a class="bad-ink" href="/rules?show=broken">{overview.rules.broken} broken</a></>}</span></li>
        {overview.watch && <Itself watch={overview.watch} />}
      </ul>
    </Panel>
  )
}

/** alertd sends itself a sample the whole way to a receiver: how long ago one came back, and what waits. */
function Itself({ watch }: { watch: Watch }) {
  const { age_seconds: age, trip_seconds: trip } = watch.canary
  const { unsent, oldest_unsent_seconds: oldest } = watch.pages
  return (
    <>
      <li title={watch.why ?? 'A sample of alertd\'s own, the whole way to a receiver'}><Icon name="alarm" size={16} /><span class="grow">Canary</span>
        <span>{!watch.ok ? <b class="bad-ink">{watch.why}</b> : age === null ? <span class="dim">first trip under way</span>
          : <>{formatAge(age * 1000)} ago<span class="dim" title="How long the trip took"> in {formatTook(trip * 1000)}</span></>}</span></li>
      {unsent > 0 && (
        <li><Icon name="person" size={16} /><span class="grow">Not told yet</span>
          <span class={oldest > 60 ? 'warn-ink' : ''}>{count(unsent, 'page')}, the oldest for {formatAge(oldest * 1000)}</span></li>
      )}
      {watch.dead_man.withheld + watch.dead_man.failed > 0 && (
        <li><Icon name="note" size={16} /><span class="grow">Dead man's ping</span>
          <span class="dim">{watch.dead_man.sent} sent, {watch.dead_man.failed} failed, {watch.dead_man.withheld} withheld</span></li>
      )}
    </>
  )
}

function AgentTiles({ agents }: { agents: Agent[] }) {
  return (
    <ul class="tiles">
      {agents.map((agent) => {
        const failing = agent.probes.filter((probe) => probe.success === false)
        return (
          <li key={agent.id}>
            <a data-row href={`/agents#${encodeURIComponent(agent.id)}`} class={`tile ${agent.state}`}>
              <b>{agent.id}</b>
              <State state={agent.state} />
              <span class="dim"><Ago at={agent.last_push_at} never="never pushed" /></span>
              <span class={failing.length ? 'bad-ink' : 'dim'}>
                {agent.probes.length === 0 ? 'no probes' : failing.length === 0 ? `${count(agent.probes.length, 'probe')} fine` : `${failing.map((probe) => probe.name).join(', ')} failing`}
              </span>
            </a>
          </li>
        )
      })}
    </ul>
  )
}

export function Wall() {
  pageTitle.value = ''
  const data = useData<Overview>('/api/alertd/v1/overview', ['incident', 'alerts', 'agents', 'rules'], 10_000)
  const agents = useData<{ agents: Agent[] }>('/api/alertd/v1/agents', ['agents'], 10_000).value?.agents
  const overview = data.value
  const target = () => {
    const key = document.activeElement?.closest<HTMLElement>('[data-key]')?.dataset['key']
    return key ?? overview?.open_incidents.find((incident) => incident.status === 'triggered')?.key
  }
  useKey('a', 'Acknowledge the row, or the first that waits', () => {
    const key = target()
    if (key && may('operate')) void acknowledge(key, me.value?.name ?? null)
  })
  return (
    <div class="wall">
      {data.error && !overview && <Trouble error={data.error} what="The overview could not be read" retry={data.reload} />}
      <Verdict overview={overview} />
      {overview && overview.open_incidents.length > 0 && (
        <Panel title="Open incidents" aside={<a href="/i">All incidents</a>}>
          <Held items={overview.open_incidents} keyOf={(incident) => incident.key} class="incident-list">
            {(incident, gone) => <IncidentRow key={incident.key} incident={incident} gone={gone} />}
          </Held>
        </Panel>
      )}
      {overview && (
        <div class="grid">
          <ToldPanel overview={overview} />
          <FreshnessPanel overview={overview} />
          <Panel title="Last 24 hours" aside={<a href="/alerts">Alerts now</a>}>
            <Hours what="Alerts fired" hours={overview.hours.map((hour) => ({ atMs: parseTime(hour.at) ?? 0, fired: hour.fired }))} height={56} />
            <p class="axis"><span>24 h ago</span><span>{count(overview.hours.reduce((sum, hour) => sum + hour.fired, 0), 'alert')} fired</span><span>now</span></p>
          </Panel>
        </div>
      )}
      {agents && (
        <Panel title="Agents" aside={<a href="/agents">Probes and results</a>}>
          {agents.length === 0
            ? <Empty icon="agents" title="No agent pushes yet"><p>Start <code>alert-agent</code> where something should be watched. <a href="/agents">How</a></p></Empty>
            : <AgentTiles agents={agents} />}
        </Panel>
      )}
    </div>
  )
}
