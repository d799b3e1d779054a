// The shapes of /api/alertd/v1/drills (docs/api.md). Times ending in at_ms are of the drill: since its start.

export type DrillLevel = 'first-day' | 'first-week' | 'on-call' | 'seasoned' | 'commander'
export type DrillMode = 'solo' | 'pair' | 'master' | 'team' | 'tabletop'
export type DrillState = 'paused' | 'running' | 'ended' | 'broken'
export type DrillRole = 'player' | 'scribe' | 'master' | 'watcher'

export interface BestClock { clock: ClockName; ms: number | null; limit_ms: number | null; met: boolean | null }

export interface LibraryDrill {
  name: string
  title: string
  level: string
  path: number | null
  teaches: string
  brief: string
  length_ms: number
  /** It happened; of what it is reconstructed, and where that is told, is known to who has played it. */
  real: boolean
  reconstructed: string | null
  sources: string[]
  kind: 'drill' | 'tabletop'
  own: boolean
  /** best: one's own, of the clocks that were ever reached or have a limit. */
  played: { n: number; last_at_ms: number | null; last_id?: number | null; best?: BestClock[] }
  error?: string
}

export interface SessionHead {
  id: number
  drill: string
  title: string
  mode: DrillMode
  team?: number | null
  state: DrillState
  player: string
  by?: string
  started_at_ms: number
  ended_at_ms: number | null
}

export interface DrillClock {
  now_ms: number
  length_ms: number
  zero_ms: number
  wall_ms: number
  /** So long before its 0 it began. */
  lead_ms?: number
  speed: number
  /** The speed it falls to by itself when something calls for the player; 0: it does not. */
  slow_to?: number
  slowed_at_ms?: number | null
  onset_ms?: number | null
}

export interface DrillAlert { labels: Record<string, string>; annotations: Record<string, string>; state: 'firing' | 'pending'; since_ms: number; value: number | null }
/** alerts: label sets as Prometheus prints them. */
export interface DrillIncident { n: number; title: string; opened_ms: number; over_ms: number | null; acked_ms: number | null; alerts: string[] }
export interface DrillPage { at_ms: number; who: string; what: string; title?: string | null; incident: number; acked: boolean }

export type ActKind = 'see' | 'ack' | 'query' | 'runbook' | 'hypothesis' | 'answer' | 'tell' | 'escalate' | 'do' | 'hint' | 'note'

export interface Moment {
  n: number
  at_ms: number
  kind: 'pending' | 'firing' | 'resolved' | 'opened' | 'over' | 'page' | 'nobody' | 'told' | 'happened' | 'act' | 'hint' | 'broken'
  who: string | null
  what: string | null
  more: string | null
  incident?: number
  act?: ActKind
  /** Of what everybody would see at once; of the rest when it is over. */
  verdict?: string | null
  worth?: string | null
  cost?: number
}

export interface DrillQuestion { id: string; text: string; answered: boolean }
/** private: of a game master, for themselves: in nobody else's answer. */
export interface DrillNote { at_ms: number; who: string; text: string; private: boolean }

export interface Session {
  id: number
  version: number
  drill: string
  title: string
  brief: string
  level: string
  teaches?: string
  mode: DrillMode
  team?: string | number | null
  state: DrillState
  role: DrillRole
  player: string
  /** Who of the drill's people one is. */
  you?: string
  oncall?: string[]
  clock: DrillClock
  alerts: DrillAlert[]
  incidents: DrillIncident[]
  pages: DrillPage[]
  moments: Moment[]
  graphs: string[]
  runbooks: string[]
  questions: DrillQuestion[]
  hints: { left: number; next_cost: number | null; given: { at_ms: number; text: string }[] }
  notes: DrillNote[]
  banner?: { text: string; incident: string | null } | null
  error?: string | null
  /** Of a broken one: it may go on. */
  can_retry?: boolean
  page_me?: boolean
  /** Of an incident's drill: the rules of that day, or as they are today. */
  rules?: 'then' | 'now'
  /** When it was not a person who paused it. */
  paused_why?: string
  members?: { who: string; role: DrillRole }[]
}

export type ClockName = 'seen' | 'ack' | 'graph' | 'runbook' | 'hypothesis' | 'right' | 'tell' | 'escalate' | 'mitigation'

/** after_ms: since the first page, or the onset where nobody is paged. */
export interface ScoreClock {
  clock: ClockName
  after_ms: number | null
  limit_ms: number | null
  met: boolean | null
  really?: { after_ms?: number; never?: boolean; note: string | null } | null
  own_past?: number[]
  team_median_ms?: number | null
}
export interface ScoreCount { count: string; n: number; limit: number | null; met: boolean | null }
export interface TrueEvent { at_ms: number; kind: string; text: string }
export interface Idea { id: string; text: string; worth: 'right' | 'wrong' | 'relevant' | 'herring' | 'harm' }
export interface Score {
  paged?: boolean
  clocks: ScoreClock[]
  counts: ScoreCount[]
  moments: Moment[]
  truth: TrueEvent[]
  hypotheses?: Idea[]
  actions?: Idea[]
  escalate_why?: string | null
  debrief?: string | null
  reconstructed?: string | null
  sources?: string[]
  /** What helps here: told when it is over, and to a game master. */
  right?: { graphs: string[]; runbooks: string[]; questions: { id: string; text: string; accepts: string[]; patterns?: string[] }[] }
}

/** body: what somebody wrote; revision 0: nobody did. */
export interface DebriefSection { id: string; title: string; markdown: string; kind: 'facts' | 'person'; body?: string; revision?: number; author?: string | null }
/** A signal that was there and was not looked at; at_ms: when it would have mattered. Times of the graph are of the drill's wall clock. */
export interface Missed {
  kind: 'metric' | 'customer' | 'runbook' | 'silence'
  text: string
  why: string | null
  at_ms: number
  query: string | null
  runbook: string | null
  graph: { title: string; from_ms: number; to_ms: number; at_ms: number; series: { name: string; t_ms: number[]; values: (number | null)[] }[] } | null
}
export interface NextLink { kind: 'tune' | 'rule' | 'runbook' | 'drill'; text: string; url: string | null; rule: string | null; runbook: string | null; drill: string | null }
export interface Debrief { sections: DebriefSection[]; missed?: Missed[]; next?: NextLink[]; version: number; etag: string }

export interface PracticeRun { session: number; at: string; clocks: Partial<Record<ClockName, number | null>> }
export interface PracticeDrill { drill: string; n: number; runs: PracticeRun[]; median: Partial<Record<ClockName, number | null>> }
export interface Practice { who: string; drills: PracticeDrill[] }
