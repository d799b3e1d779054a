// What alertd answers: the shapes of docs/api.md, word for word. Times are RFC 3339 text.

export interface Me {
  auth: 'required' | 'off'
  name: string | null
  scopes: string[]
  csrf: string | null
  version: string
  external_url: string
}

export type IncidentStatus = 'triggered' | 'acknowledged' | 'resolved'

export interface Incident {
  id: number
  key: string
  title: string
  severity: string
  status: IncidentStatus
  opened_at: string
  acknowledged_at: string | null
  acknowledged_by: string | null
  resolved_at: string | null
  resolved_by: string | null
  labels: Record<string, string>
  n_alerts: number
  n_firing: number
  postmortem: number | null
}

export interface IncidentAlert {
  name: string
  labels: Record<string, string>
  annotations: Record<string, string>
  state: 'firing' | 'resolved'
  active_at: string | null
  fired_at: string | null
  resolved_at: string | null
  value: number | null
  rule_id: number | null
  expr: string
  left: string | null
  threshold: number | null
  for_ms: number
  runbook_url: string | null
}

export interface TimelineEvent {
  id: number
  kind: string
  class: 'machine' | 'human'
  occurred_at: string
  recorded_at: string
  actor: string | null
  source: string
  text: string
  data: Record<string, unknown> | null
}

/** A row of the timeline as it stands. */
export interface Row extends TimelineEvent {
  level: 'key' | 'normal' | 'raw'
  precision: 'ms' | 's' | 'min' | 'approx'
  added_later: boolean
  scope: string | null
  evidence: { query?: string; value?: number | string; unit?: string; link?: string } | null
  order_only: boolean
  pinned: boolean
  hidden: boolean
  retracted: boolean
  note: string | null
  conflict: string | null
  hypothesis: 'open' | 'confirmed' | 'refuted' | null
  about: number | null
  merged_into: number | null
  n_revs: number
  recorded: { occurred_at: string; kind: string; text: string } | null
}

export interface Rows { total: number; offset: number; n_events: number; events: Row[] }

export interface RecordMark {
  name: string
  scope: string
  at: string | null
  known: boolean
  approx: boolean
  set_by: 'machine' | 'person'
  editor: string | null
  event: number | null
  source: string
  why: string
  conflict: boolean
  machine: { at: string | null; event: number | null; rule: string }
}

export interface RecordImpact { scope: string; start: RecordMark; end: RecordMark; minutes: number | null; ttd_minutes: number | null }

export interface RecordMetric { name: string; title: string; formula: string; known: boolean; approx: boolean; ms: number | null; minutes: number | null; text: string }

export interface DetectionPart { name: string; formula: string; known: boolean; seconds: number | null; share: number | null; text: string; why: string | null }

/** A mark as somebody set it, once. */
export interface RecordSetting { id: number; name: string; scope: string; state: 'at' | 'unknown' | 'auto'; at: string | null; precision: string; event: number | null; reason: string; editor: string; set_at: string }

export interface RecordMarks { marks: RecordMark[]; impacts: RecordImpact[]; history: RecordSetting[] }

export interface RecordMetrics {
  metrics: RecordMetric[]
  detection_source: 'alert' | 'customer' | 'human' | null
  impacts: RecordImpact[]
  detection: { rule: string; rule_id: number; parts: DetectionPart[] }[]
  earlier: WouldHave[]
  earlier_why: string | null
  signals: { rule: string; rule_id: number; breach_at: string }[]
  looked_at: string | null
  rules_looked_at: number
}

/** A setting, or a live rule, that would have fired before; the counts are of the thirty days before. */
export interface WouldHave {
  rule: string; rule_id: number; setting: string; query: string; fired_at: string; seconds_earlier: number | null
  alerts_30d: number | null; alerts_30d_then: number | null; pages_30d: number | null; pages_30d_then: number | null
}

export interface ServiceLink { title?: string; url: string }

export interface ServiceSpec {
  owner?: string
  tier?: number
  description?: string
  match?: Record<string, string>
  depends_on?: string[]
  when_down?: string
  runbooks?: ServiceLink[]
  dashboards?: ServiceLink[]
  rules?: string[]
  slos?: { name: string; objective: number; window?: string; good: string; total: string }[]
}

export interface Service { name: string; revision: number; updated_at: string; updated_by: string; spec: ServiceSpec }

export interface Related {
  services: Service[]
  slos: { service: string; name: string; objective: number; window: string; known: boolean; why: string | null; bad: number | null; burnt_ratio: number | null; formula: string; warnings: string[] }[]
  changes: { id: number; kind: string; occurred_at: string; actor: string | null; text: string; before_impact_ms: number | null; data: Record<string, unknown> | null }[]
  similar: { key: string; title: string; status: string; opened_at: string; resolved_at: string | null; postmortem: number | null; linked: boolean; why: string }[]
}

export interface Notification {
  id: number
  receiver: string
  kind: string
  reason: string
  state: 'waiting' | 'sent' | 'failed' | 'superseded'
  attempts: number
  due_at: string | null
  sent_at: string | null
  last_error: string | null
  incident: string | null
}

export interface IncidentDetail extends Incident {
  alerts: IncidentAlert[]
  notifications: Notification[]
  verdicts: Said[]
  escalations: Escalation[]
}

export interface Rule {
  id: number
  name: string
  type: 'alerting' | 'recording'
  expr: string
  for_ms: number
  keep_firing_for_ms: number
  labels: Record<string, string>
  annotations: Record<string, string>
  state: 'inactive' | 'pending' | 'firing'
  health: 'ok' | 'err' | 'unknown'
  last_error: string | null
  last_error_at: ErrorPlace | null
  last_evaluation: string | null
  evaluation_ms: number | null
  samples: number
  series: number
  version: number
  n_firing: number
  n_pending: number
  fired_30d: number
}

export interface RuleVersion { version: number; at: string; source: string; yaml: string }
/** Of a rule's error: in its file, and in its expression when it is there. */
export interface ErrorPlace { file: string; line: number | null; column: number | null; expr_line: number | null; expr_column: number | null }
/** One evaluation of a rule, out of its last twenty. */
export interface Evaluation { at: string; duration_ms: number; samples: number; series: number; results: number; error: string | null }
export interface RuleDetail extends Rule { evaluations: Evaluation[]; versions: RuleVersion[] }

export interface RuleGroup {
  name: string
  source: string
  interval_ms: number
  last_evaluation: string | null
  evaluation_ms: number | null
  health: 'ok' | 'err' | 'unknown'
  rules: Rule[]
}

export interface Probe {
  name: string
  kind: string
  target: string
  success: boolean | null
  duration_ms: number | null
  last_at: string | null
}

export interface Agent {
  id: string
  last_push_at: string | null
  interval_ms: number
  up: boolean
  state: 'fresh' | 'late' | 'lost'
  version: string | null
  series: number
  clock_skew_ms: number | null
  probes: Probe[]
}

export interface Told {
  receiver: string
  kind: string
  last_sent_at: string | null
  oldest_waiting_at: string | null
}

export interface Watch {
  ok: boolean
  why: string | null
  canary: { age_seconds: number | null; limit_seconds: number; trip_seconds: number }
  pages: { unsent: number; oldest_unsent_seconds: number }
  dead_man: { configured: boolean; systemd: boolean; pinged_at: string | null; sent: number; failed: number; withheld: number }
}

export interface Overview {
  state: 'ok' | 'degraded' | 'down'
  now: string
  open_incidents: Incident[]
  n_firing: number
  n_pending: number
  agents: { fresh: number; late: number; lost: number }
  told: Told[]
  rules: { groups: number; rules: number; broken: number }
  evaluation: { last_at: string | null; max_ms: number | null }
  /** Is alertd itself well: what /-/deep answers. Older ones don't say. */
  watch?: Watch
  banners: { level: string; text: string }[]
  hours: { at: string; fired: number }[]
}

export type PostmortemStatus = 'draft' | 'in_review' | 'reviewed' | 'published' | 'closed'

export type Verdict = 'useful' | 'noise' | 'unknown'

export interface Said {
  id: number
  actor: string
  verdict: Verdict
  reason: string
  at: string
  via: string
}

export interface ReportLoad { incidents: number; pages: number; night_pages: number }
export interface ReportSpans { n: number; median_ms: number; p90_ms: number; max_ms: number }

interface ReportVerdicts {
  useful: number
  noise: number
  unknown: number
  unanswered: number
  noise_share: number | null
  noise_share_low: number | null
  noise_share_high: number | null
}

export type ReviewKind = 'fine' | 'change' | 'redundant' | 'never_fired' | 'cant_fire' | 'not_known'
export interface ReviewRule {
  rule_id: number
  rule: string
  group: string
  source: string
  expr: string
  cost: number
  pages: number
  nights: number
  useful: number
  noise: number
  noise_guess: number
  kind: ReviewKind
  words: string
  alerts: number | null
  setting: { threshold?: number; for_ms?: number; keep_ms?: number }
  reviewed_at: string | null
  changed_since: boolean
}
export interface Review { from: string; to: string; reviewed_at: string | null; rules: ReviewRule[] }

export interface CanarySide { alerts: number; notifications: number; pages: number; nights: number }
/** A candidate beside its rule. */
export interface Canary {
  rule_id: number
  rule: string
  author: string
  since: string
  running: boolean
  rule_changed: boolean
  evaluations: number
  failures: number
  last_error: string | null
  last_evaluation: string | null
  yaml: string
  current: CanarySide
  candidate: CanarySide
  words: string
}
export type CanaryKind = 'kept' | 'moved' | 'gained' | 'lost'
export interface CanaryRow { kind: CanaryKind; old: string | null; new: string | null; moved_ms: number; name: string; reason: string; group: string; night: boolean; loses_incident: boolean; labels: Record<string, string> }
export interface CanaryPages extends Canary, Record<CanaryKind, number> { rows: CanaryRow[]; rows_cut: boolean }

export interface ReportRule extends ReportLoad, ReportVerdicts { rule_id: number; rule: string; flap_percent: number }

export interface Report extends ReportLoad, ReportVerdicts {
  from: string
  to: string
  zone: string
  time_to_acknowledge: ReportSpans
  time_to_resolve: ReportSpans
  never_acknowledged: number
  self_resolved_within_5m: number
  rules: ReportRule[]
  people: (ReportLoad & { who: string; is_person: boolean })[]
  days: (ReportLoad & { from: string; to: string })[]
  shifts: (ReportLoad & { who: string; schedule: string; from: string; to: string })[]
  flapping: { rule_id: number; rule: string; instance: string; changes: number; percent: number }[]
}

export interface PostmortemHead {
  id: number
  incident: string
  kind: 'internal' | 'public'
  title: string
  template: string
  status: PostmortemStatus
  owner: string
  due_at: string | null
  revision: number
  version: number
  created_at: string
  updated_at: string
  updated_by: string | null
  open_prompts: number
  open_actions: number
}

export interface PostmortemSection {
  id: string
  title: string
  mode: 'generated' | 'human'
  required: boolean
  state: 'auto' | 'needs_you' | 'done' | 'stale'
  revision: number
  body: string
  generated: string
  detached: boolean
  trouble: string
  open_prompts: number
  updated_at: string
  updated_by: string
  generated_nodes: DocumentNode[] | null
  body_nodes: DocumentNode[] | null
}

export interface PostmortemAction {
  id: number
  postmortem: number
  incident: string
  text: string
  type: string
  tag: string
  owner: string
  due_at: string | null
  state: 'open' | 'doing' | 'done' | 'wont_do'
  overdue: boolean
  done_when: string
  proof_url: string
  reason: string
  rule_draft: string
  revision: number
}

export interface PostmortemReview { who: string; verdict: 'asked' | 'approved' | 'changes' | 'comment'; section: string; text: string; revision: number; at: string }
export interface PostmortemQuestion { text: string; why: string; answer: string; answered_by: string }
export interface PostmortemHint { section: string; kind: string; phrase: string; advice: string; line: number }
export interface PostmortemGraph { id: number; title: string; query: string; from: string; to: string; chosen: boolean }
export interface PostmortemVersion { version: number; title: string; published_at: string; published_by: string; sha256: string }
export interface DiffLine { kind: 'same' | 'added' | 'removed'; text: string }

export interface Postmortem extends PostmortemHead {
  sections: PostmortemSection[]
  reviews: PostmortemReview[]
  questions: PostmortemQuestion[]
  hints: PostmortemHint[]
  actions: PostmortemAction[]
  graphs: PostmortemGraph[]
  versions: PostmortemVersion[]
  blockers: string[]
}

export interface DocumentNode {
  type: string
  children?: DocumentNode[]
  text?: string
  level?: number
  href?: string
  id?: number
  title?: string | null
  block?: boolean
  ordered?: boolean
  start?: number
  /** Cut here: the next list is its continuation (lib/pieces.ts). */
  goes_on?: boolean
  header?: boolean
  align?: string | null
  lang?: string | null
  done?: boolean
}

export interface ExplainNode {
  label: string
  kind: string
  type: string
  start: number
  end: number
  evaluations: number
  steps: number
  series: number
  points: number
  samples: number
  bytes: number
  total_ms: number
  self_ms: number
  share: number
  hottest: boolean
  children: ExplainNode[]
}

export interface ExplainAnswer {
  expr: string
  type: string
  start: string
  end: string
  step_ms: number | null
  steps: number
  series: number
  points: number
  samples: number
  bytes: number
  parse_ms: number
  total_ms: number
  warnings: string[]
  infos: string[]
  tree: ExplainNode
}

// Prometheus' own shapes.

export interface PromAlert {
  labels: Record<string, string>
  annotations: Record<string, string>
  state: 'firing' | 'pending'
  activeAt: string
  value: string
}

export interface PromSample { metric: Record<string, string>; value: [number, string] }
/** [seconds, least, greatest, sum, count] of each step. */
export interface RollupSeries { metric: Record<string, string>; values: [number, string, string, string, number][] }
export interface Rollup { resolution: number; step: number; result: RollupSeries[] }

export interface PromSeries { metric: Record<string, string>; values: [number, string][] }

export type PromResult =
  | { resultType: 'vector'; result: PromSample[] }
  | { resultType: 'matrix'; result: PromSeries[] }
  | { resultType: 'scalar' | 'string'; result: [number, string] }

export interface StorageDay {
  day: string
  journal_bytes: number
  chunk_bytes: number
  other_bytes: number
  bytes_per_sample: number | null
}
export interface StorageLimit { flag: string; used: number; limit: number; pusher?: string }
export interface StorageOffender { pusher: string; reason: string; series: string; count: number; first_at: string; last_at: string }
export interface TsdbStatus {
  data: {
    seriesCountByMetricName: { name: string; value: number }[]
    watchbill: { days: StorageDay[]; limits: StorageLimit[]; offenders: StorageOffender[]; set_aside: string[] }
  }
}

// --- silences and deliveries ---

export interface Stretch { from: string; to: string }

export interface Silence {
  id: string
  state: 'pending' | 'active' | 'expired'
  matchers: { name: string; value: string; isRegex: boolean; isEqual: boolean }[]
  starts_at: string
  ends_at: string | null
  until_resolved: boolean
  created_by: string
  comment: string
  created_at: string
  updated_at: string
  revision: number
  last_matched_at: string | null
  matches_now: number
  window: unknown[] | null
  window_text?: string
  muting_until?: string | null
  next?: Stretch[]
  warning?: string | null
}

export interface SilencePreview {
  matches_now: number
  mutes_now: boolean
  alerts: { fingerprint: string; name: string | null; labels: Record<string, string>; incident: string | null; silenced: boolean }[]
  incidents: string[]
  warning: string | null
  next?: Stretch[]
  past: { from: string; to: string; notifications: number; all_notifications: number; incidents: number; all_incidents: number; is_part: boolean }
}

export interface Fires {
  fingerprint: string
  name: string | null
  labels: Record<string, string>
  silenced_by: string[]
  incident: string | null
}

export interface Delivery {
  id: number
  incident: string | null
  title: string | null
  receiver: string | null
  person: string | null
  kind: string
  lane: 'page' | 'shadow' | 'digest' | 'test'
  reason: string
  state: 'waiting' | 'sent' | 'failed' | 'superseded'
  attempts: number
  refused: boolean
  owed_at: string
  due_at: string
  sent_at: string | null
  late_ms: number
  last_error: string | null
  superseded_by: number | null
  acknowledged_at: string | null
  acknowledged_by: string | null
}

export interface Escalation {
  policy: string
  status: 'running' | 'acknowledged' | 'snoozed' | 'taken' | 'exhausted' | 'resolved'
  round: number
  step: number
  steps: number
  next_at: string | null
  person: string | null
}

// --- shadowing and readiness ---

export type ShadowMode = 'observe' | 'own copy' | 'reverse'
export interface ShadowSpec { person: string; target_kind: 'person' | 'schedule'; target: string; from: string; to: string; mode: ShadowMode; mentor?: string; after_ms?: number }
export interface Shadow { id: string; revision: number; spec: ShadowSpec }
export interface ShadowAnswers { acted_on: boolean | null; made_sense: boolean | null; knew_where: boolean | null; answered_at: string | null }

/** A trainee's own copy of a page, with its own clock. */
export interface ShadowPage {
  id: number
  person: string
  full_name: string | null
  yours: boolean // who is logged in may say what they made of it; others only by saying for whom
  shadow: string
  mode: ShadowMode
  mentor: string
  of: { kind: 'person' | 'schedule'; name: string }
  incident: { key: string; title: string; severity: string; state: IncidentStatus }
  made_at: string
  told_at: string | null
  seen_at: string | null
  opened_at: string | null
  acknowledged_at: string | null
  hypothesis: string | null
  hypothesis_at: string | null
  notes: string | null
  answers: ShadowAnswers
  deliveries: { receiver: string; kind: string; state: string; sent_at: string | null; error: string | null }[]
}

export interface ShadowMoment { at: string; kind: string; words: string; actor?: string | null }
export interface Compared { what: string; shadow_ms: number | null; real_ms: number | null }
export interface ShadowTimelines { shadow: ShadowMoment[]; real: ShadowMoment[]; compared: Compared[] }

export interface Gate { needs_pages: number; needs_sense: number; sense: number | null; passed: boolean }
export interface Readiness {
  person: string
  full_name: string | null
  pages: number
  night_pages: number
  answered: number
  made_sense: number
  gate: Gate
  items_done: number
  items_signed: number
  items: number
}

/** null: nothing counts it yet. */
export interface ReadinessCounters {
  pages_shadowed: number
  night_pages: number
  observed: number
  own_copy: number
  reverse_pages: number
  acknowledged: number
  took_over_by_mentor: number
  drills_done: number | null
  runbooks_opened: number | null
  contacts_verified: number
  contacts: number
}
export interface ReadinessItem { item: string; text: string; question: string | null; evidence: string | null; answer?: string | null; done_at: string | null; signed_by: string | null; signed_at: string | null }
export interface ReadinessDetail extends Readiness { counters: ReadinessCounters; areas: { area: string; items: ReadinessItem[] }[] }

// --- people and schedules ---

export interface Contact {
  method: string
  address: string
  secret: boolean
  broken: string | null
  verified_at: string | null
  tested_at: string | null
  outcome: 'accepted' | 'later' | 'refused' | null
  words: string | null
}

export interface Person {
  name: string
  revision: number
  updated_at: string
  updated_by: string
  full_name: string | null
  zone: string | null
  contacts: Contact[]
  warnings: string[]
}

export interface Override {
  id: string
  kind: 'replace' | 'add' | 'remove' | 'swap'
  person?: string
  of?: string
  from: string
  to: string
  other_from?: string
  other_to?: string
  note?: string
}

export interface Layer {
  name: string
  level: number
  starts_at?: string
  ends_at?: string
  rotation?: { unit: 'hours' | 'days' | 'weeks' | 'months' | 'always'; every?: number; first_turn?: string; people: (string | null)[] }
  windows?: { weekdays: string[]; from: string; to: string }[]
  shifts?: { person: string; from: string; to: string }[]
}

export interface ScheduleSpec { name: string; title?: string; zone: string; layers: Layer[]; overrides?: Override[] }

export interface Schedule {
  name: string
  title: string | null
  revision: number
  updated_at: string
  updated_by: string
  ical_since: string | null
  spec: ScheduleSpec
  overrides: Override[]
}

export interface Span {
  person: string | null
  from: string
  to: string
  why?: 'layer' | 'override' | 'swap'
  layer?: string
  override?: string
  shadow?: string
  mode?: string
}

export interface Lanes { name: string; zone: string; from: string; to: string; final: Span[]; rotation: Span[]; overrides: Span[]; shadows: Span[]; gaps: Span[] }

export interface OnCallPerson { person: string; full_name: string | null; reachable: boolean; until: string | null; why: 'layer' | 'override' | 'swap'; layer: string | null; override: string | null; note: string | null }

export interface OnCallSchedule {
  name: string
  title: string | null
  zone: string
  at: string
  until: string | null
  people: OnCallPerson[]
  next: { at: string; people: { person: string; full_name: string | null }[] } | null
  shadows: { id: string; person: string; full_name: string | null; of: string; mode: string; until: string }[]
}

export interface Policy {
  name: string
  revision: number
  spec: { name: string; title?: string; repeat: number; ack_expires_ms: number; steps: { delay_ms: number; targets: { person?: string; schedule?: string; receiver?: string }[] }[]; fallback: { person?: string; schedule?: string; receiver?: string }[] }
}
