// Both timelines of a shadow page side by side: what the trainee did, and what was really done.
//
//     hidden --guess saved, "Compare"--> shown       hidden --"Show it without a guess"--> shown, and alertd notes it
//
// It stays hidden until somebody asks: a text that saves itself, or the first of three taps, must not answer what is
// still being asked. Only who comes back to a copy that is answered finds it open.

import { useState } from 'preact/hooks'
import { useData } from '../app/data.ts'
import { useKey } from '../app/keyboard.ts'
import { zone } from '../app/settings.ts'
import { shadowPagePath, TOPICS } from '../app/shadow.ts'
import type { ShadowPage, ShadowTimelines } from '../app/types.ts'
import { axisOf, differenceOf, formatLag, merged, type Row } from '../lib/shadow.ts'
import { formatClock, formatDay, formatExact } from '../lib/time.ts'
import { Panel, Trouble, Waiting } from '../ui/parts.tsx'

type Shown = '' | 'shown' | 'forced'

function useShown({ id, answers, hypothesis }: ShadowPage): [Shown, (shown: Shown) => void] {
  const kept = `shadow shown ${id}`
  const [shown, setShown] = useState<Shown>((sessionStorage.getItem(kept) ?? (answers.answered_at !== null && hypothesis !== null ? 'shown' : '')) as Shown)
  return [shown, (next) => { sessionStorage.setItem(kept, next); setShown(next) }]
}

const LANES = { you: 20, they: 56 } as const

/** One axis for both: minutes after the first moment, stretched where minutes matter. */
function Axis({ rows, you }: { rows: Row[]; you: string }) {
  const axis = axisOf(rows)
  const words = (side: Row['side']) => rows.filter((row) => row.side === side).map((row) => `${row.moment.words} after ${formatLag(row.atMs - axis.fromMs)}`).join('; ') || 'nothing'
  return (
    <div class="two-lanes">
      <span class="two-lanes-name">{you}</span><span class="two-lanes-name">They</span>
      <svg width="100%" height="92" role="img" aria-label={`On one axis. ${you}: ${words('you')}. They: ${words('they')}`}>
        {axis.ticks.map((tick) => (
          <g key={tick.ms} class="tick">
            <line x1={`${tick.at}%`} x2={`${tick.at}%`} y1="4" y2="72" />
            <text x={`${tick.at}%`} y="88" text-anchor={tick.at < 4 ? 'start' : tick.at > 96 ? 'end' : 'middle'}>{tick.words}</text>
          </g>
        ))}
        {(['you', 'they'] as const).map((side) => <line key={side} class="track" x1="0" x2="100%" y1={LANES[side]} y2={LANES[side]} />)}
        {rows.map((row) => (
          <circle key={row.key} class={`moment-dot ${row.side}`} cx={`${axis.at(row.atMs)}%`} cy={LANES[row.side]} r="6"><title>{`${row.moment.words}, after ${formatLag(row.atMs - axis.fromMs)}`}</title></circle>
        ))}
      </svg>
    </div>
  )
}

function Moments({ rows, you, person, fromMs }: { rows: Row[]; you: string; person: string; fromMs: number }) {
  const whose = (row: Row) => (row.side === 'you' && row.moment.actor === person ? you : row.moment.actor ?? 'alertd')
  return (
    <>
      <div class="sides" aria-hidden="true"><b>{you}</b><span>{formatDay(fromMs, zone.value)}</span><b>They</b></div>
      <ol class="moments">
        {rows.map((row) => (
          <li key={row.key} class={`moment ${row.side}`}>
            <span class="moment-at"><time dateTime={row.moment.at} title={formatExact(row.atMs, zone.value)}>{formatClock(row.atMs, zone.value)}</time><small>{row.atMs === fromMs ? 'begin' : `+${formatLag(row.atMs - fromMs)}`}</small></span>
            <div class="moment-words"><p>{row.moment.words}</p><small>{whose(row)}</small></div>
          </li>
        ))}
      </ol>
    </>
  )
}

function Differences({ lines, you }: { lines: ReturnType<typeof differenceOf>[]; you: string }) {
  return (
    <table class="list differences">
      <thead><tr><th>After the page</th><th class="right">{you}</th><th class="right">They</th><th>{you === 'You' ? 'You were' : `${you} was`}</th></tr></thead>
      <tbody>{lines.map((line) => (
        <tr key={line.what}>
          <td><b>{line.what}</b></td><td class="num right" data-head={you}>{line.you}</td><td class="num right" data-head="They">{line.they}</td>
          <td class="wrap">{line.difference || <span class="dim">{line.alone}</span>}</td>
        </tr>
      ))}</tbody>
    </table>
  )
}

function Both({ timelines, you, person }: { timelines: ShadowTimelines; you: string; person: string }) {
  const rows = merged(timelines.shadow, timelines.real)
  if (rows.length === 0) return <p class="dim pad">Nothing happened yet.</p>
  const lines = timelines.compared.filter((one) => one.shadow_ms !== null || one.real_ms !== null).map(differenceOf)
  return (
    <>
      {lines.length > 0 && <Differences lines={lines} you={you} />}
      <Axis rows={rows} you={you} />
      <Moments rows={rows} you={you} person={person} fromMs={rows[0]?.atMs ?? 0} />
    </>
  )
}

export function Compare({ page, you, guessed }: { page: ShadowPage; you: string; guessed: () => Promise<boolean> }) {
  const [shown, setShown] = useShown(page)
  const data = useData<ShadowTimelines>(shown ? `${shadowPagePath(page.id)}/timelines${shown === 'forced' ? '?reveal=1' : ''}` : null, TOPICS, 15_000)
  const hasGuess = Boolean(page.hypothesis?.trim())
  const compare = () => { void guessed().then((saved) => { if (saved) setShown('shown') }) }
  useKey('c', 'Compare with what they did', compare, 'This shadow page', !shown && hasGuess)
  const refused = data.error?.status === 409
  return (
    <Panel title={<><span class="step-number">3</span> What they did</>} label="What they did" aside={shown && !refused && <a href={`/i/${page.incident.key}`}>The incident</a>}>
      {!shown || refused ? (
        <div class="curtain">
          <p>{hasGuess
            ? 'Your guess is written. Compare it with what was really done, minute by minute.'
            : 'Hidden until you wrote what you think it is: a guess made after the answer teaches nothing.'}</p>
          {refused && <p class="bad-ink" role="alert">{data.error?.message}</p>}
          <p class="actions">
            {hasGuess && <button type="button" class="primary" onClick={compare}>Compare <kbd>c</kbd></button>}
            {(!hasGuess || refused) && <button type="button" onClick={() => setShown('forced')}>Show it without a guess</button>}
          </p>
        </div>
      ) : data.value === undefined
        ? data.error ? <Trouble error={data.error} what="The timelines could not be read" retry={data.reload} /> : <Waiting rows={4} />
        : <Both timelines={data.value} you={you} person={page.person} />}
    </Panel>
  )
}

