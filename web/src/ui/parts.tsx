// The parts all views are made of. A state is always an icon, a word and a colour together.

import type { ComponentChildren } from 'preact'
import type { ApiError } from '../app/api.ts'
import { Icon, type IconName } from './icon.tsx'

export type Tone = 'bad' | 'warn' | 'ok' | 'idle' | 'accent'

const STATES: Record<string, { tone: Tone; icon: IconName; words: string }> = {
  triggered: { tone: 'bad', icon: 'alarm', words: 'Needs someone' },
  acknowledged: { tone: 'warn', icon: 'hand', words: 'Acknowledged' },
  resolved: { tone: 'ok', icon: 'check', words: 'Resolved' },
  firing: { tone: 'bad', icon: 'alarm', words: 'Firing' },
  pending: { tone: 'warn', icon: 'clock', words: 'Pending' },
  inactive: { tone: 'ok', icon: 'check', words: 'Quiet' },
  fresh: { tone: 'ok', icon: 'check', words: 'Fresh' },
  late: { tone: 'warn', icon: 'clock', words: 'Late' },
  lost: { tone: 'bad', icon: 'cross', words: 'Silent' },
  ok: { tone: 'ok', icon: 'check', words: 'Healthy' },
  err: { tone: 'bad', icon: 'cross', words: 'Broken' },
  unknown: { tone: 'idle', icon: 'question', words: 'Not yet run' },
  sent: { tone: 'ok', icon: 'check', words: 'Sent' },
  waiting: { tone: 'warn', icon: 'clock', words: 'Waiting' },
  failed: { tone: 'bad', icon: 'cross', words: 'Failed' },
  superseded: { tone: 'idle', icon: 'chevron', words: 'Not needed' },
  active: { tone: 'accent', icon: 'mute', words: 'Mutes now' },
  expired: { tone: 'idle', icon: 'check', words: 'Ended' },
  draft: { tone: 'warn', icon: 'note', words: 'Draft' },
  in_review: { tone: 'accent', icon: 'person', words: 'In review' },
  reviewed: { tone: 'ok', icon: 'check', words: 'Reviewed' },
  closed: { tone: 'idle', icon: 'check', words: 'Closed' },
  auto: { tone: 'idle', icon: 'check', words: 'Facts' },
  needs_you: { tone: 'warn', icon: 'note', words: 'Needs you' },
  done: { tone: 'ok', icon: 'check', words: 'Written' },
  stale: { tone: 'accent', icon: 'clock', words: 'Facts changed' },
  open: { tone: 'warn', icon: 'clock', words: 'Open' },
  doing: { tone: 'accent', icon: 'hand', words: 'In hand' },
  wont_do: { tone: 'idle', icon: 'cross', words: 'Will not be done' },
  published: { tone: 'ok', icon: 'check', words: 'Published' },
}

export function State({ state, words }: { state: string; words?: string }) {
  const known = STATES[state] ?? { tone: 'idle' as Tone, icon: 'question' as IconName, words: state }
  return <span class={`state ${known.tone}`}><Icon name={known.icon} size={14} />{words ?? known.words}</span>
}

/** critical, warning, info ...: a word with a weight, in every theme. */
export function Severity({ severity }: { severity: string | undefined }) {
  if (!severity) return null
  const tone = severity === 'critical' || severity === 'page' ? 'bad' : severity === 'info' || severity === 'none' ? 'idle' : 'warn'
  return <span class={`severity ${tone}`}>{severity}</span>
}

export function Labels({ labels, onPick }: { labels: Record<string, string>; onPick?: (word: string) => void }) {
  return (
    <span class="labels">
      {Object.entries(labels).map(([name, value]) => onPick
        ? <button key={name} type="button" class="label" title={`Show only ${name}=${value}`} onClick={() => onPick(`${name}=${value}`)}><i>{name}</i>{value}</button>
        : <span key={name} class="label"><i>{name}</i>{value}</span>)}
    </span>
  )
}

export function Panel({ title, aside, children, label, id }: { title?: ComponentChildren; aside?: ComponentChildren; children: ComponentChildren; label?: string; id?: string }) {
  return (
    <section class="panel" {...(id ? { id } : {})} {...(label ? { 'aria-label': label } : {})}>
      {title && <header class="panel-head"><h2>{title}</h2>{aside && <div class="panel-aside">{aside}</div>}</header>}
      {children}
    </section>
  )
}

/** An empty list teaches the next step. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return <div class="empty"><span class="empty-icon"><Icon name={icon} size={26} /></span><h3>{title}</h3>{children && <div>{children}</div>}</div>
}

export function Trouble({ error, what, retry }: { error: ApiError; what: string; retry?: () => void }) {
  return (
    <div class="trouble" role="alert">
      <Icon name="alarm" /><p><b>{what}</b><br />{error.message}</p>
      {retry && <button type="button" onClick={retry}>Try again</button>}
      {error.warnings.length > 0 && <div><p>Not all of it could be read:</p><Unread warnings={error.warnings} /></div>}
    </div>
  )
}

const MISSING_SHOWN = 8

function Unread({ warnings }: { warnings: string[] }) {
  return (
    <ul>{warnings.slice(0, MISSING_SHOWN).map((words) => <li key={words}>{words}</li>)}
      {warnings.length > MISSING_SHOWN && <li>and {warnings.length - MISSING_SHOWN} more</li>}</ul>
  )
}

/** What could not be read of what is shown below: said above it, and never by colour alone. */
export function Missing({ warnings }: { warnings: string[] }) {
  if (warnings.length === 0) return null
  return (
    <div class="not-read" role="status">
      <Icon name="alarm" />
      <div><b>Not all of it could be read; what is shown is made of the rest</b>
        <Unread warnings={warnings} /></div>
    </div>
  )
}

export function Waiting({ rows = 3 }: { rows?: number }) {
  return <div class="waiting" role="status"><span class="hidden">Loading</span>{Array.from({ length: rows }, (_, i) => <i key={i} />)}</div>
}

/** A list, its error, its waiting: whichever is true. */
export function Shown<T>({ data, what, children }: { data: { value: T | undefined; error: ApiError | null; reload: () => void }; what: string; children: (value: T) => ComponentChildren }) {
  if (data.value === undefined) return data.error ? <Trouble error={data.error} what={what} retry={data.reload} /> : <Waiting />
  return <>{data.error && <Trouble error={data.error} what={`${what}; what is shown is older`} retry={data.reload} />}{children(data.value)}</>
}

export interface Choice { value: string; words: string; n?: number }

/** A row of chips, one chosen: a filter one can read. */
export function Chips({ name, value, choices, onChoose }: { name: string; value: string; choices: Choice[]; onChoose: (value: string) => void }) {
  return (
    <div class="chips" role="group" aria-label={name}>
      {choices.map((choice) => (
        <button key={choice.value} type="button" aria-pressed={choice.value === value} onClick={() => onChoose(choice.value)}>
          {choice.words}{choice.n !== undefined && <span class="n">{choice.n}</span>}
        </button>
      ))}
    </div>
  )
}

export function Page({ title, lead, actions, children }: { title: string; lead?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren }) {
  return (
    <>
      <header class="page-head"><div><h1>{title}</h1>{lead && <p class="lead">{lead}</p>}</div>{actions && <div class="actions">{actions}</div>}</header>
      {children}
    </>
  )
}
