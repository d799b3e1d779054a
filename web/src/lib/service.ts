// A service's card as a form has it, and back: lists are lines, labels are name=value.

import type { ServiceLink, ServiceSpec } from '../app/types.ts'

export interface SloForm { name: string; percent: string; window: string; good: string; total: string }

export interface ServiceForm {
  owner: string
  tier: string
  description: string
  when_down: string
  match: string
  depends_on: string
  rules: string
  runbooks: ServiceLink[]
  dashboards: ServiceLink[]
  slos: SloForm[]
}

export function formOf(spec: ServiceSpec): ServiceForm {
  return {
    owner: spec.owner ?? '', tier: spec.tier ? String(spec.tier) : '', description: spec.description ?? '', when_down: spec.when_down ?? '',
    match: Object.entries(spec.match ?? {}).map(([name, value]) => `${name}=${value}`).join('\n'),
    depends_on: (spec.depends_on ?? []).join('\n'), rules: (spec.rules ?? []).join('\n'),
    runbooks: spec.runbooks ?? [], dashboards: spec.dashboards ?? [],
    slos: (spec.slos ?? []).map((slo) => ({ name: slo.name, percent: String(Number((100 * slo.objective).toPrecision(12))), window: slo.window ?? '30d', good: slo.good, total: slo.total })),
  }
}

const linesOf = (text: string) => text.split(/[\n,]/).map((line) => line.trim()).filter(Boolean)
const filled = (links: readonly ServiceLink[]) => links.filter(({ url }) => url.trim()).map(({ title, url }) => ({ ...(title?.trim() ? { title: title.trim() } : {}), url: url.trim() }))

/** What is wrong in words, or the card as alertd takes it: empty members are left out. */
export function specOf(form: ServiceForm): { spec: ServiceSpec } | { wrong: string } {
  const match: Record<string, string> = {}
  for (const line of linesOf(form.match)) {
    const at = line.indexOf('=')
    if (at < 1 || at === line.length - 1) return { wrong: `Labels: "${line}" is not name=value` }
    match[line.slice(0, at).trim()] = line.slice(at + 1).trim().replace(/^"(.*)"$/, '$1')
  }
  const slos = []
  for (const slo of form.slos.filter(({ name, good, total }) => name || good || total)) {
    const percent = Number(slo.percent)
    if (!slo.name.trim()) return { wrong: 'An objective needs a name' }
    if (!(percent > 0 && percent < 100)) return { wrong: `Objective ${slo.name}: a share between 0 and 100 %, as in 99.9` }
    slos.push({ name: slo.name.trim(), objective: Number((percent / 100).toPrecision(12)), ...(slo.window.trim() ? { window: slo.window.trim() } : {}), good: slo.good.trim(), total: slo.total.trim() })
  }
  const tier = Number(form.tier)
  if (form.tier && !(Number.isInteger(tier) && tier > 0)) return { wrong: 'Tier: a whole number from 1 on, or nothing' }
  const [depends, rules, runbooks, dashboards] = [linesOf(form.depends_on), linesOf(form.rules), filled(form.runbooks), filled(form.dashboards)]
  return {
    spec: {
      ...(form.owner.trim() ? { owner: form.owner.trim() } : {}), ...(tier ? { tier } : {}),
      ...(form.description.trim() ? { description: form.description.trim() } : {}), ...(form.when_down.trim() ? { when_down: form.when_down.trim() } : {}),
      ...(Object.keys(match).length > 0 ? { match } : {}), ...(depends.length > 0 ? { depends_on: depends } : {}), ...(rules.length > 0 ? { rules } : {}),
      ...(runbooks.length > 0 ? { runbooks } : {}), ...(dashboards.length > 0 ? { dashboards } : {}), ...(slos.length > 0 ? { slos } : {}),
    },
  }
}
