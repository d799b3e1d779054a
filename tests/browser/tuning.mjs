// A past worth tuning over: DAYS of a shop whose latency is noisy, three times really bad, and of
// what else rules are made of. Made from the numbers of the steps alone, so that it is the same each time.

const MINUTE = 60_000
export const DAYS = 14

export const TUNING_RULES = `
groups:
  - name: latency
    interval: 1m
    rules:
      # Somebody's guess of two years ago.
      - alert: ShopSlow
        expr: request_p99_seconds{job="shop"} > 0.8  # seconds
        for: 1m
        labels: {severity: critical, team: web}
        annotations:
          summary: '{{ $labels.instance }} answers after {{ printf "%.2f" $value }} s'
          runbook_url: https://runbooks.example/shop#slow
      - alert: ShopBehindItsLimit
        expr: work_queue_length > on (instance) work_queue_limit
        for: 5m
        labels: {severity: warning}
      - alert: BackupIsSilent
        expr: absent(backup_heartbeat{job="backup"})
        labels: {severity: warning}
      - alert: BudgetBurns
        expr: error_ratio_5m > 14.4 * 0.001 and error_ratio_1h > 14.4 * 0.001
        labels: {severity: critical}
      - alert: ManySlow
        expr: count(request_p99_seconds > 0.8) > 3
        labels: {severity: critical}
      - alert: NeverSeen
        expr: nothing_at_all > 1
`

/** Noise that is the same each time: 0 to 1. */
function dice(i, salt) {
  let x = Math.imul(i + 1, 374761393) ^ Math.imul(salt + 1, 668265263)
  x = Math.imul(x ^ (x >>> 13), 1274126177)
  return ((x ^ (x >>> 16)) >>> 0) / 4294967296
}

/** Really bad: minutes behind the beginning, and for how many. */
export const BAD = [[2 * 1440 + 610, 48], [6 * 1440 + 1210, 35], [10 * 1440 + 190, 70]]
const isBad = (minute) => BAD.some(([at, length]) => minute >= at && minute < at + length)

/** What the latency of one machine is: quiet by day, spikes of a minute or two, the backup at two. */
export function latency(minute, machine) {
  const ofDay = minute % 1440
  const quiet = 0.24 + 0.12 * Math.sin((ofDay / 1440) * 2 * Math.PI - 1.4) + 0.1 * dice(minute, machine)
  const spike = dice(Math.floor(minute / 3), machine + 50) > 0.988 ? 0.5 + 0.7 * dice(Math.floor(minute / 3), machine + 90) : 0
  const backup = ofDay >= 120 && ofDay < 150 && machine < 2 ? 0.35 + 0.35 * dice(minute, machine + 130) : 0
  const bad = isBad(minute) && machine !== 3 ? 1.1 + 0.5 * dice(minute, machine + 170) : 0
  return quiet + spike + backup + bad
}

export function linesOf(minute, atMs, machines) {
  const lines = []
  for (let m = 0; m < machines; m++) lines.push(`request_p99_seconds{job="shop",instance="web-${m + 1}"} ${latency(minute, m).toFixed(3)} ${atMs}`)
  const burst = dice(Math.floor(minute / 7), 9) > 0.99
  lines.push(`work_queue_length{instance="q-1"} ${Math.round(40 + 30 * dice(minute, 7) + (burst ? 90 : 0))} ${atMs}`, `work_queue_limit{instance="q-1"} 100 ${atMs}`)
  if (dice(Math.floor(minute / 20), 11) < 0.98) lines.push(`backup_heartbeat{job="backup"} 1 ${atMs}`)
  const errors = isBad(minute) ? 0.03 : 0.002 + (burst ? 0.02 : 0)
  lines.push(`error_ratio_5m ${errors.toFixed(4)} ${atMs}`, `error_ratio_1h ${(isBad(minute - 10) ? 0.02 : 0.002).toFixed(4)} ${atMs}`)
  return lines
}

/** Answers with the beginning, the ids of the rules by name, and when it was bad. */
export async function seedTuning(alertd, { days = DAYS, machines = 6 } = {}) {
  const endMs = Math.floor(Date.now() / MINUTE) * MINUTE
  const startMs = endMs - days * 1440 * MINUTE
  let lines = []
  for (let minute = 0; minute <= days * 1440; minute++) {
    lines.push(...linesOf(minute, startMs + minute * MINUTE, machines))
    if (lines.length < 20_000 && minute < days * 1440) continue
    await alertd.push(lines.join('\n'))
    lines = []
  }
  await alertd.importRules(TUNING_RULES, 'rules/shop/latency.yml')
  const { groups } = await alertd.get('/api/alertd/v1/rules')
  const ids = Object.fromEntries(groups.flatMap((group) => group.rules).map((rule) => [rule.name, rule.id]))
  const bad = BAD.filter(([at]) => at < days * 1440).map(([at, length]) => ({ from: new Date(startMs + at * MINUTE).toISOString(), to: new Date(startMs + (at + length) * MINUTE).toISOString() }))
  return { startMs, endMs, ids, bad }
}
