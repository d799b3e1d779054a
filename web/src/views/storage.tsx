// Storage: what takes the space by day, how near the limits are, who was refused what and what to do.

import { useData } from '../app/data.ts'
import type { StorageDay, StorageLimit, StorageOffender, TsdbStatus } from '../app/types.ts'
import { formatBytes } from '../lib/number.ts'
import { Measured } from '../ui/bar.tsx'
import { Panel, Shown } from '../ui/parts.tsx'
import { Ago } from '../ui/time.tsx'

const KINDS = [
  { name: 'Samples, sealed', of: (day: StorageDay) => day.chunk_bytes },
  { name: 'Samples, journal', of: (day: StorageDay) => day.journal_bytes },
  { name: 'Series and the rest', of: (day: StorageDay) => day.other_bytes },
]

const LIMITS: Record<string, string> = {
  '--limit.series': 'Series in memory',
  '--limit.new-series-per-hour': 'New series, last hour',
  '--limit.new-series-per-hour-per-pusher': 'New series of one pusher',
}

const REMEDIES: Record<string, string> = {
  too_old: 'Let it push sooner, or import old samples as history.',
  too_new: 'Its clock is ahead: set it by NTP.',
  series_limit: 'Drop labels that are different each time, or raise --limit.series.',
  new_series_limit: 'Look for a label that changes with each push (an id, a time), or raise --limit.new-series-per-hour and -per-pusher.',
  labels_limit: 'Send fewer labels, or raise --limit.labels-per-series.',
  label_name_limit: 'Shorten the label’s name, or raise --limit.label-name-bytes.',
  label_value_limit: 'Shorten the label’s value, or raise --limit.label-value-bytes.',
  labels: 'Mend the labels: the answer to the push says what is wrong.',
  body_too_large: 'Send smaller batches, or raise --limit.samples-per-body and --limit.body-bytes.',
  invalid: 'Mend the time stamps: the answer to the push says what is wrong.',
}

function DayRow({ day, largest }: { day: StorageDay; largest: number }) {
  const parts = KINDS.map((kind) => kind.of(day))
  const total = parts.reduce((sum, bytes) => sum + bytes, 0)
  let from = 0
  return (
    <tr>
      <td class="num">{day.day}</td>
      <td class="wide"><svg class="stacked" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={KINDS.map((kind, i) => `${kind.name} ${formatBytes(parts[i]!)}`).join(', ')}>
        {parts.map((bytes, i) => {
          const x = from
          from += (bytes / largest) * 100
          return <rect key={KINDS[i]!.name} class={`kind-${i + 1}`} x={x} width={from - x} height="8" />
        })}</svg></td>
      <td class="num right" data-head="Size">{formatBytes(total)}</td>
      <td class="num right" data-head="A sample">{day.bytes_per_sample === null ? '' : `${day.bytes_per_sample.toFixed(1)} B`}</td>
    </tr>
  )
}

function Limit({ limit }: { limit: StorageLimit }) {
  return (
    <div><dt title={limit.flag}>{LIMITS[limit.flag] ?? limit.flag}</dt>
      <dd class="num"><Measured part={Math.min(1, limit.used / limit.limit)} beside={<span class="dim"> of {limit.limit.toLocaleString('en')}</span>}>{limit.used.toLocaleString('en')}</Measured>
        {limit.pusher && <div class="dim">{limit.pusher}</div>}</dd></div>
  )
}

function Offender({ one }: { one: StorageOffender }) {
  return (
    <tr>
      <td><b>{one.pusher}</b></td>
      <td class="wide">{one.reason.replaceAll('_', ' ')} {one.series && <span class="mono one-line" title={one.series}>{one.series}</span>}<div class="dim">{REMEDIES[one.reason] ?? 'See the answer to the push.'}</div></td>
      <td class="num right" data-head="Refused">{one.count.toLocaleString('en')}</td>
      <td class="right" data-head="Last"><Ago at={one.last_at} /></td>
    </tr>
  )
}

function Content({ data }: { data: TsdbStatus['data'] }) {
  const { days, limits, offenders, set_aside } = data.watchbill
  const newest = [...days].reverse()
  const largest = Math.max(1, ...days.map((day) => KINDS.reduce((sum, kind) => sum + kind.of(day), 0)))
  const metrics = data.seriesCountByMetricName
  const most = Math.max(1, ...metrics.map((one) => one.value))
  return (
    <>
      <dl class="strip">{limits.map((limit) => <Limit key={limit.flag} limit={limit} />)}</dl>
      {set_aside.map((words) => <p key={words} class="pad warn-ink">{words}</p>)}
      <ul class="kinds dim pad">{KINDS.map((kind, i) => <li key={kind.name}><svg viewBox="0 0 8 8" aria-hidden="true"><rect class={`kind-${i + 1}`} width="8" height="8" rx="2" /></svg>{kind.name}</li>)}</ul>
      <table class="list"><thead><tr><th>Day</th><th>What takes the space</th><th class="right">Size</th><th class="right">A sample</th></tr></thead>
        <tbody>{newest.map((day) => <DayRow key={day.day} day={day} largest={largest} />)}</tbody></table>
      <table class="list"><thead><tr><th>Metric</th><th class="right">Series</th></tr></thead>
        <tbody>{metrics.map((one) => <tr key={one.name}><td class="wrap mono">{one.name}</td><td class="num right"><Measured part={one.value / most}>{one.value.toLocaleString('en')}</Measured></td></tr>)}</tbody></table>
      {offenders.length > 0
        ? <table class="list"><thead><tr><th>Pusher</th><th>Why, and what to do</th><th class="right">Refused</th><th class="right">Last</th></tr></thead>
            <tbody>{offenders.map((one) => <Offender key={`${one.pusher} ${one.reason}`} one={one} />)}</tbody></table>
        : <p class="dim pad">Nothing was refused since the start.</p>}
    </>
  )
}

export function Storage() {
  const status = useData<TsdbStatus>('/api/v1/status/tsdb', [], 30_000)
  return (
    <div class="storage"><Panel title="Storage">
      <Shown data={status} what="Storage could not be read">{({ data }) => <Content data={data} />}</Shown>
    </Panel></div>
  )
}
