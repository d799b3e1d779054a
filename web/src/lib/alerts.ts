// Alerts in groups: one row a name, its instances below, filtered by what is in the URL.
//
// The filter's words must all match. A word is part of a name or of any label's value, or
// label=value, label!=value, label=~part.

import type { PromAlert } from '../app/types.ts'

export interface AlertGroup {
  name: string
  severity: string
  state: 'firing' | 'pending'
  nFiring: number
  nPending: number
  sinceMs: number
  /** Labels all instances share, besides alertname and severity. */
  shared: Record<string, string>
  alerts: PromAlert[]
}

const SEVERITY_ORDER = ['critical', 'page', 'error', 'high', 'warning', 'ticket', 'info', 'none', '']

export function severityRank(severity: string | undefined): number {
  const at = SEVERITY_ORDER.indexOf(severity ?? '')
  return at < 0 ? SEVERITY_ORDER.indexOf('warning') : at
}

export function matches(labels: Record<string, string>, filter: string): boolean {
  return filter.split(/\s+/).filter(Boolean).every((word) => {
    const found = /^([a-zA-Z_][\w]*)(=~|!=|=)"?([^"]*)"?$/.exec(word)
    if (!found) return Object.values(labels).some((value) => value.toLowerCase().includes(word.toLowerCase()))
    const value = labels[found[1] ?? ''] ?? ''
    const wanted = found[3] ?? ''
    if (found[2] === '=~') return value.toLowerCase().includes(wanted.toLowerCase())
    return found[2] === '=' ? value === wanted : value !== wanted
  })
}

function sharedLabels(alerts: PromAlert[]): Record<string, string> {
  const first = alerts[0]
  if (!first) return {}
  return Object.fromEntries(Object.entries(first.labels).filter(([name, value]) =>
    name !== 'alertname' && name !== 'severity' && alerts.every((alert) => alert.labels[name] === value)))
}

/** What distinguishes one instance: its labels without those the group shares. */
export function ownLabels(alert: PromAlert, shared: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(alert.labels).filter(([name]) =>
    name !== 'alertname' && name !== 'severity' && !(name in shared)))
}

export function groupAlerts(alerts: readonly PromAlert[]): AlertGroup[] {
  const byName = new Map<string, PromAlert[]>()
  for (const alert of alerts) {
    const name = alert.labels['alertname'] ?? ''
    byName.set(name, [...(byName.get(name) ?? []), alert])
  }
  const groups = [...byName].map(([name, members]): AlertGroup => {
    const nFiring = members.filter((alert) => alert.state === 'firing').length
    const worst = [...members].sort((a, b) => severityRank(a.labels['severity']) - severityRank(b.labels['severity']))[0]
    members.sort((a, b) => (a.state === b.state ? Date.parse(a.activeAt) - Date.parse(b.activeAt) : a.state === 'firing' ? -1 : 1))
    return {
      name,
      severity: worst?.labels['severity'] ?? '',
      state: nFiring > 0 ? 'firing' : 'pending',
      nFiring,
      nPending: members.length - nFiring,
      sinceMs: Math.min(...members.map((alert) => Date.parse(alert.activeAt))),
      shared: members.length > 1 ? sharedLabels(members) : {},
      alerts: members,
    }
  })
  return groups.sort((a, b) =>
    Number(b.state === 'firing') - Number(a.state === 'firing') ||
    severityRank(a.severity) - severityRank(b.severity) || a.name.localeCompare(b.name))
}
