// What a drill's pages decide: its clock between two answers of alertd, what a newcomer does next,
// how moments read. Pure; times are those of the drill.
//
//     clock as answered + time passed here x speed --> nowOf()      this browser's wall clock is never asked
//     what the player has done so far             --> nextStep()   one sentence, one key

import type { BestClock, ClockName, DrillClock, DrillState, LibraryDrill, Missed, Moment, ScoreClock, Session } from '../app/drill_types.ts'
import type { Columns } from './matrix.ts'
import { formatElapsed, HOUR, MINUTE } from './time.ts'

export const SPEEDS = [1, 2, 5, 10, 30, 60] as const

/** Where the drill is, so long after its clock was told. */
export function nowOf(clock: DrillClock, state: DrillState, passedMs: number): number {
  const run = state === 'running' ? Math.max(0, passedMs) * clock.speed : 0
  return Math.min(clock.length_ms, clock.now_ms + run)
}

/** A drill may begin before its 0, so that nobody learns the minute by heart. */
export const beginOf = (clock: DrillClock): number => -(clock.lead_ms ?? 0)

/** Not begun: the clock stands at its first instant and nothing was done. */
export const isFresh = (session: Session): boolean => session.state === 'paused' && session.clock.now_ms < beginOf(session.clock) + 1000 && session.moments.every((one) => one.kind !== 'act')

/** The next speed up or down. */
export function faster(speed: number, by: 1 | -1): number {
  const at = SPEEDS.findIndex((one) => one >= speed)
  return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, (at < 0 ? SPEEDS.length - 1 : at) + by))] ?? 1
}

/** "14:31:07": drills speak UTC, as what is said in them does. */
export function wallClock(clock: DrillClock, atMs: number): string {
  return new Date(clock.zero_ms + atMs).toISOString().slice(11, 19)
}

/** "3 h", "1 h 30 min", "45 min". */
export function formatLength(ms: number): string {
  const minutes = Math.round(ms / MINUTE)
  const hours = Math.floor(minutes / 60)
  if (hours === 0) return `${minutes} min`
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
}

/** "4:05", "1:02:09"; before the page: "-2:00". */
export function formatClockTime(ms: number): string {
  return ms < 0 ? `−${formatElapsed(-ms)}` : formatElapsed(ms)
}

// --- the library ---

export const LEVELS: { level: string; words: string; means: string }[] = [
  { level: 'first-day', words: 'First day', means: 'from a page to its graph to its runbook' },
  { level: 'first-week', words: 'First week', means: 'read what alerts say, and what they do not' },
  { level: 'on-call', words: 'On call', means: 'alone with it, and several things at once' },
  { level: 'seasoned', words: 'Seasoned', means: 'systems that hold each other up' },
  { level: 'commander', words: 'Commander', means: 'lead people who are tired' },
]

export interface Stage { level: string; words: string; means: string; drills: LibraryDrill[] }

/** In the order of the path; own drills and those of no known level come last. */
export function stagesOf(drills: readonly LibraryDrill[]): Stage[] {
  const sorted = [...drills].sort((a, b) => (a.path || 1e9) - (b.path || 1e9) || a.title.localeCompare(b.title))
  const own = sorted.filter((one) => one.own)
  const known = LEVELS.map((stage) => ({ ...stage, drills: sorted.filter((one) => !one.own && one.level === stage.level) }))
  const rest = sorted.filter((one) => !one.own && !LEVELS.some(({ level }) => level === one.level))
  return [
    ...known,
    { level: 'other', words: 'Others', means: '', drills: rest },
    { level: 'own', words: 'Your own', means: 'made from incidents of this place, or written here', drills: own },
  ].filter((stage) => stage.drills.length > 0)
}

/** The one obvious next: the first of the path that was not played; null when all were. */
export function nextDrill(drills: readonly LibraryDrill[]): LibraryDrill | null {
  return stagesOf(drills).filter((stage) => stage.level !== 'own').flatMap((stage) => stage.drills).find((one) => one.played.n === 0 && !one.error) ?? null
}

const BEST_SHOWN: readonly ClockName[] = ['ack', 'right', 'mitigation']

/** What one did best so far in a drill, in few words; what has a limit that was never met first of all. */
export function bestOf(drill: LibraryDrill): BestClock[] {
  const best = drill.played.best ?? []
  const missed = best.filter((one) => one.met === false)
  const shown = best.filter((one) => one.met !== false && one.ms !== null && BEST_SHOWN.includes(one.clock))
  return [...missed, ...shown].slice(0, 4)
}

/** Is there something left to do better in a drill that was played? */
export const hasMissed = (drill: LibraryDrill) => (drill.played.best ?? []).some((one) => one.met === false)

// --- what a player does next ---

export type StepId = 'begin' | 'resume' | 'wait' | 'ack' | 'look' | 'someone' | 'runbook' | 'guess' | 'do' | 'tell' | 'watch' | 'ask' | 'finish'
export interface NextStep { id: StepId; words: string; why: string }

const did = (session: Session, ...acts: string[]) => session.moments.some((one) => one.kind === 'act' && one.act !== undefined && acts.includes(one.act))
const isGood = (moment: Moment) => moment.verdict === 'good' || moment.worth === 'mends' || moment.worth === 'right'

export const openIncidents = (session: Session) => session.incidents.filter((one) => one.over_ms === null)
export const waiting = (session: Session) => openIncidents(session).filter((one) => one.acked_ms === null)
/** Somebody outside says that something is wrong. */
const complaints = (session: Session) => session.moments.filter((one) => one.kind === 'happened' && (one.who === 'customer' || one.who === 'chat'))

/** Words only: nothing is measured, and nobody is paged by a rule. */
export const isPaper = (session: Session) => session.graphs.length === 0 && session.incidents.length === 0 && session.alerts.length === 0

function workStep(session: Session): NextStep {
  if (!isPaper(session) && !did(session, 'query')) return { id: 'look', words: 'Look at it', why: 'Open a graph: since when, how steep, does it go on?' }
  if (session.runbooks.length > 0 && session.pages.length > 0 && !did(session, 'runbook')) return { id: 'runbook', words: 'Read the runbook', why: 'Somebody has thought about this alert before you.' }
  if (!did(session, 'hypothesis')) return { id: 'guess', words: 'Write what you think it is', why: 'One sentence. It may be wrong: you can write another one.' }
  if (!did(session, 'do')) return { id: 'do', words: 'Say what you do now', why: 'In your own words, as you would tell a colleague. Nothing here can break.' }
  if (!did(session, 'tell')) return { id: 'tell', words: 'Tell people', why: 'What is broken, since when, who works on it: a sentence is enough.' }
  return { id: 'watch', words: 'Watch whether it helps', why: 'Let time pass. If it does not get better, look again and do something else.' }
}

/** What a newcomer who never saw the desk would do now. */
export function nextStep(session: Session): NextStep {
  if (session.state === 'paused') {
    return isFresh(session)
      ? { id: 'begin', words: 'Start the clock', why: 'Then wait for a page, as on any shift.' }
      : { id: 'resume', words: 'Let the clock run', why: 'It stands still: read in peace, nothing happens meanwhile.' }
  }
  if (waiting(session).length > 0) return { id: 'ack', words: 'You are paged: acknowledge it', why: 'It says "I am on it". When nobody does, the next person is woken.' }
  const trouble = session.incidents.length > 0
  if (!trouble && complaints(session).length > 0 && !did(session, 'see')) {
    return isPaper(session)
      ? { id: 'someone', words: 'Somebody needs you', why: 'Say that you have seen it. Then ask, guess, decide: all of it in words.' }
      : { id: 'someone', words: 'No alert, but somebody complains', why: 'Say that you have seen it, then look for yourself.' }
  }
  if (!trouble && !did(session, 'see', 'query', 'hypothesis')) {
    return isPaper(session)
      ? { id: 'wait', words: 'Nothing yet: read the brief', why: 'What happens is told below, in words.' }
      : { id: 'wait', words: 'All is quiet: wait for a page', why: 'Look around meanwhile, or let the time pass faster.' }
  }
  if (trouble && openIncidents(session).length === 0 && did(session, 'do')) {
    return session.questions.some((one) => !one.answered)
      ? { id: 'ask', words: 'It is over. Answer what is still asked', why: 'Then end the drill: it tells you what really happened.' }
      : { id: 'finish', words: 'It is over: end the drill', why: 'Then see what really happened, beside what you did.' }
  }
  const step = workStep(session)
  return step.id === 'watch' && !trouble && session.moments.some((one) => one.act === 'do' && isGood(one))
    ? { id: session.questions.some((one) => !one.answered) ? 'ask' : 'finish', words: 'Answer what is still asked, then end the drill', why: 'It tells you what really happened.' }
    : step
}

// --- moments in words ---

export type MomentTone = 'bad' | 'warn' | 'ok' | 'accent' | 'idle'
export interface MomentWords { who: string; text: string; tone: MomentTone; quoted?: boolean }

const SAID: Record<string, string> = { deploy: 'Deploy', chat: 'Chat', log: 'Log', customer: 'A customer', note: 'Note', hint: 'A hint of the game master' }
const ACTS: Record<string, string> = {
  see: 'saw it', ack: 'acknowledged', query: 'asked', runbook: 'opened the runbook', hypothesis: 'thought', answer: 'answered',
  tell: 'told people', escalate: 'called for help', do: 'did', hint: 'asked for a hint', note: 'noted',
}

function actWords(moment: Moment, you: string): MomentWords {
  const worth = moment.worth ?? moment.verdict
  const tone: MomentTone = worth === 'harm' || worth === 'bad' || worth === 'wrong' || worth === 'herring' ? 'warn' : worth === 'good' || worth === 'mends' || worth === 'right' || worth === 'relevant' ? 'ok' : 'accent'
  const act = ACTS[moment.act ?? ''] ?? moment.act ?? ''
  if (moment.act === 'ack' && moment.verdict === 'void') return { who: you, text: 'acknowledged, but no page was open', tone: 'idle' }
  return { who: you, text: moment.what ? `${act}: ${moment.what}` : act, tone: moment.act === 'do' ? tone : 'accent' }
}

/** Does an incident have this alert? Its label sets come as text. */
export const isOf = (incident: { alerts: string[] }, alertname: string) => incident.alerts.some((one) => one.includes(`alertname=${JSON.stringify(alertname)}`))

/** you: how the player is called on this page, "You" or a name. */
export function momentWords(moment: Moment, you = 'You'): MomentWords {
  const what = moment.what ?? ''
  switch (moment.kind) {
    case 'pending': return { who: 'Rules', text: `${what} is pending`, tone: 'warn' }
    case 'firing': return { who: 'Rules', text: `${what} fires`, tone: 'bad' }
    case 'resolved': return { who: 'Rules', text: `${what} is resolved`, tone: 'ok' }
    case 'opened': return { who: 'Pager', text: `incident ${moment.incident ?? ''} opened: ${moment.more ?? what}`, tone: 'bad' }
    case 'over': return { who: 'Pager', text: `incident ${moment.incident ?? ''} is over`, tone: 'ok' }
    case 'page': return { who: 'Pager', text: `${moment.who ?? 'somebody'} is paged: ${moment.more ?? what}`, tone: 'bad' }
    case 'nobody': return { who: 'Pager', text: `nobody else can be reached for ${what || 'it'}`, tone: 'bad' }
    case 'told': return { who: 'Pager', text: `${moment.who ?? 'a receiver'} is told: ${moment.more ?? what}`, tone: 'idle' }
    case 'happened': return { who: SAID[moment.who ?? ''] ?? moment.who ?? '', text: what, tone: moment.who === 'customer' ? 'bad' : moment.who === 'deploy' ? 'warn' : 'idle', quoted: moment.who !== 'deploy' && moment.who !== 'note' }
    case 'hint': return { who: 'Hint', text: what, tone: 'accent' }
    case 'broken': return { who: 'Rules', text: `${what} cannot be evaluated: ${moment.more ?? ''}`, tone: 'bad' }
    default: return actWords(moment, you)
  }
}

// --- graphs ---

/** A counter as it is looked at: what comes a second. */
export const panelExpr = (graph: string) => (/^[a-zA-Z_:][\w:]*_total(\{[^}]*\})?$/.test(graph) ? `rate(${graph}[5m])` : graph)

const CLOSES: Record<string, string> = { '(': ')', '[': ']', '{': '}' }

/** What an alert compares, and with what: its graph is that, and not the alert's yes or no. */
export function leftSide(expr: string): { left: string; threshold: number | null } {
  let depth = 0
  let quote = ''
  let at = -1
  let end = expr.length
  for (let i = 0; i < end; i++) {
    const char = expr[i] ?? ''
    if (quote) {
      if (char === '\\') i++
      else if (char === quote) quote = ''
    } else if (char === '"' || char === "'" || char === '`') quote = char
    else if (CLOSES[char]) depth++
    else if (Object.values(CLOSES).includes(char)) depth--
    else if (depth === 0 && /^\s(and|or|unless)\b/.test(expr.slice(i, i + 8))) end = i
    else if (depth === 0 && at < 0 && /[<>=!]/.test(char)) at = i
  }
  const right = at < 0 ? '' : expr.slice(at, end).replace(/^[<>=!]+\s*(bool\s+)?/, '').trim()
  const number = right === '' ? NaN : Number(right)
  return { left: expr.slice(0, at < 0 ? end : at).trim(), threshold: Number.isFinite(number) ? number : null }
}

/** What is shown: what led to it, and now; it grows with time and does not creep. */
export function graphRange(clock: DrillClock, nowMs: number, backMs: number): { fromMs: number; toMs: number } {
  const end = clock.zero_ms + nowMs
  const grid = 15_000
  return { fromMs: Math.floor((end - backMs) / grid) * grid, toMs: Math.floor(end / grid) * grid + grid }
}

/** Series that have their own times, on one axis. */
export function missedColumns(graph: NonNullable<Missed['graph']>): Columns {
  const times = [...new Set(graph.series.flatMap((one) => one.t_ms))].sort((a, b) => a - b)
  const place = new Map(times.map((at, i) => [at, i]))
  const values = graph.series.map((one) => {
    const column = new Array<number | null>(times.length).fill(null)
    one.t_ms.forEach((at, i) => { column[place.get(at) ?? 0] = one.values[i] ?? null })
    return column
  })
  return { times: times.map((at) => at / 1000), values, labels: graph.series.map((one) => labelsIn(one.name)), omitted: 0 }
}

/** `disk{instance="a"}` as a label set. */
function labelsIn(name: string): Record<string, string> {
  const open = name.indexOf('{')
  const pairs = [...name.slice(open < 0 ? name.length : open).matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', value = '']) => [key, value] as const)
  return Object.fromEntries([...(open === 0 ? [] : [['__name__', open < 0 ? name : name.slice(0, open)] as const]), ...pairs])
}

export const BACKS: { value: string; words: string; ms: number }[] = [
  { value: '15m', words: '15 min', ms: 15 * MINUTE }, { value: '1h', words: '1 h', ms: HOUR }, { value: '3h', words: '3 h', ms: 3 * HOUR },
]

// --- the score ---

export const CLOCK_WORDS: Record<ClockName, { words: string; means: string }> = {
  seen: { words: 'Seen', means: 'the first thing done after the page' },
  ack: { words: 'Acknowledged', means: '"I am on it": nobody else is woken' },
  graph: { words: 'First look', means: 'a graph or a query' },
  runbook: { words: 'Runbook', means: 'one of those that help here' },
  hypothesis: { words: 'First guess', means: 'right or wrong' },
  right: { words: 'Right guess', means: 'the first that names the cause' },
  tell: { words: 'People told', means: 'the first status update' },
  escalate: { words: 'Help called', means: 'somebody else came' },
  mitigation: { words: 'Mitigated', means: 'what mends it was named' },
}
export const COUNT_WORDS: Record<string, { one: string; many: string }> = {
  wrong: { one: 'wrong guess', many: 'wrong guesses' }, herrings: { one: 'red herring followed', many: 'red herrings followed' },
  harm: { one: 'thing done that does harm', many: 'things done that do harm' }, hints: { one: 'hint', many: 'hints' }, cost: { one: 'point of hints', many: 'points of hints' },
  answers: { one: 'question answered right', many: 'questions answered right' }, misses: { one: 'answer that was not it', many: 'answers that were not it' },
}

/** The end of the scale on which clocks are drawn, the square root keeping the first minutes apart. */
export function clockScale(clocks: readonly ScoreClock[]): { endMs: number; at: (ms: number) => number } {
  const all = clocks.flatMap((one) => [one.after_ms, one.limit_ms, one.really?.after_ms ?? null, one.team_median_ms ?? null, ...(one.own_past ?? [])])
  const endMs = Math.max(10 * MINUTE, ...all.filter((ms): ms is number => ms !== null))
  return { endMs, at: (ms) => 100 * Math.sqrt(Math.min(1, Math.max(0, ms) / endMs)) }
}

/** "met its 5:00", "3:10 over its 5:00", "never, of 25:00". */
export function standing({ after_ms: at, limit_ms: limit, met }: ScoreClock): { words: string; tone: MomentTone } {
  if (limit === null) return { words: '', tone: 'idle' }
  if (at === null) return { words: `not within ${formatElapsed(limit)}`, tone: 'warn' }
  return met === true || (met === null && at <= limit) ? { words: `within ${formatElapsed(limit)}`, tone: 'ok' } : { words: `${formatElapsed(at - limit)} over ${formatElapsed(limit)}`, tone: 'warn' }
}

/** "drill.drill:12:9: no such word": where an error is, and what it says. */
export function placeIn(message: string): { line: number; column: number; message: string } | null {
  const found = /(?:^|[^\d])(\d+):(\d+): ?(.*)$/s.exec(message)
  return found ? { line: Number(found[1]), column: Number(found[2]), message: found[3] ?? '' } : null
}
