// Review: every alert by what it costs people, with the one change that would help most.

import { useState } from 'preact/hooks'
import { call, may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { query, setQuery } from '../app/router.ts'
import type { Review as Reviewed, ReviewKind, ReviewRule } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { formatDuration } from '../lib/time.ts'
import { Icon } from '../ui/icon.tsx'
import { Chips, Empty, Page, Panel, Shown } from '../ui/parts.tsx'
import { Ago } from '../ui/time.tsx'

const KINDS: Record<ReviewKind, { words: string; tone: string }> = {
  change: { words: 'Can be better', tone: 'warn' },
  redundant: { words: 'Said twice', tone: 'warn' },
  cant_fire: { words: "Can't fire", tone: 'bad' },
  never_fired: { words: 'Never fired', tone: 'idle' },
  fine: { words: 'Fine', tone: 'ok' },
  not_known: { words: 'Not looked at', tone: 'idle' },
}

const SHOW: Record<string, (rule: ReviewRule) => boolean> = {
  '': () => true,
  costs: (rule) => rule.pages > 0,
  change: (rule) => rule.kind === 'change' || rule.kind === 'redundant',
  silent: (rule) => rule.kind === 'cant_fire' || rule.kind === 'never_fired',
}

const judged = (rule: ReviewRule) => (rule.useful + rule.noise === 0 ? 'nobody judged it' : `${rule.noise} of ${rule.useful + rule.noise} judged noise`)

/** The change is what the tuner shows when it opens. */
function tunePath({ rule_id, setting: { threshold, for_ms, keep_ms } }: ReviewRule): string {
  const words = [
    threshold === undefined ? '' : `t=${threshold}`,
    for_ms === undefined ? '' : `for=${formatDuration(for_ms)}`,
    keep_ms === undefined ? '' : `keep=${formatDuration(keep_ms)}`,
  ].filter(Boolean)
  return `/rules/${rule_id}/tune${words.length ? `?${words.join('&')}` : ''}`
}

function Row({ rule }: { rule: ReviewRule }) {
  const kind = KINDS[rule.kind]
  return (
    <tr>
      <td class="wide">
        <a data-row class="row-name" href={`/rules/${rule.rule_id}`}>{rule.rule}</a> <span class={`state ${kind.tone}`}>{kind.words}</span>
        <p class="review-words">{rule.words}</p>
        {rule.kind === 'change' && <p class="review-do"><a class="button" href={tunePath(rule)}><Icon name="report" size={15} /> Look at this change<span class="hidden"> of {rule.rule}</span></a></p>}
        {rule.changed_since && <p class="review-words dim">The rule was changed since it was looked at.</p>}
        <div class="mono one-line dim" title={rule.expr}>{rule.expr}</div>
      </td>
      <td class="num right" data-head="Cost">{rule.cost > 0 ? <b title={`${count(rule.pages, 'page')}, those at night three times, by the share that is noise (${Math.round(rule.noise_guess * 100)} %)`}>{rule.cost.toFixed(1)}</b> : <span class="dim">0</span>}</td>
      <td class="num right" data-head="Pages">{rule.pages}</td>
      <td class={`num right ${rule.nights ? 'bad-ink' : ''}`} data-head="Night">{rule.nights}</td>
      <td class="right" data-head="Judged">{rule.pages > 0 || rule.useful + rule.noise > 0 ? judged(rule) : <span class="dim">–</span>}</td>
    </tr>
  )
}

/** Rules are looked at in seconds, on a large installation in minutes: the page's own poll shows that. */
function Again({ reload }: { reload: () => void }) {
  const [asked, setAsked] = useState(false)
  const ask = async () => {
    setAsked(true)
    try {
      await call('/api/alertd/v1/review', { json: {} })
      window.setTimeout(() => { reload(); setAsked(false) }, 3000)
    } catch {
      setAsked(false)
    }
  }
  if (!may('operate')) return null
  return <button type="button" disabled={asked} onClick={ask}><Icon name="explore" size={16} /> {asked ? 'Being looked at' : 'Look again now'}</button>
}

export function Review() {
  pageTitle.value = 'Rule review'
  const data = useData<Reviewed>('/api/alertd/v1/review', ['rules'], 30_000)
  const show = query('show') in SHOW ? query('show') : ''
  return (
    <Page title="Rule review" lead="What each rule cost people in 30 days, and the one change that would help most." actions={<><a class="button" href="/rules"><Icon name="rules" size={16} /> All rules</a><Again reload={data.reload} /></>}>
      <Shown data={data} what="The review could not be read">{({ rules, reviewed_at }) => {
        if (rules.length === 0) return <Panel><Empty icon="rules" title="No alerts yet"><p>There is nothing to review before there are <a href="/rules">rules</a>.</p></Empty></Panel>
        const shown = rules.filter((rule) => SHOW[show]?.(rule))
        return (
          <>
            <div class="filters">
              <Chips name="Show" value={show} onChoose={(value) => setQuery({ show: value })} choices={[
                { value: '', words: 'All', n: rules.length },
                ...(['costs', 'change', 'silent'] as const).map((value) => ({ value, words: { costs: 'Paged somebody', change: 'Can be better', silent: 'Silent' }[value], n: rules.filter(SHOW[value]!).length })),
              ]} />
              <span class="dim">{reviewed_at ? <>looked at <Ago at={reviewed_at} never="never" /></> : 'the first look comes ten minutes after a start'}</span>
            </div>
            <Panel>
              {shown.length === 0
                ? <p class="dim pad">No rule is like that.</p>
                : <table class="list review"><thead><tr><th>Rule</th><th class="right">Cost</th><th class="right">Pages</th><th class="right">Night</th><th class="right">Judged</th></tr></thead>
                    <tbody>{shown.map((rule) => <Row key={rule.rule_id} rule={rule} />)}</tbody></table>}
            </Panel>
          </>
        )
      }}</Shown>
    </Page>
  )
}
