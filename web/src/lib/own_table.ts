// A team's tables for postmortems: words that are hinted at, and which template an incident asks for.
// Rows as lines one can compare, and where an answer says that one is wrong.

export interface HintRow { phrase: string; kind: string; advice: string }
export interface ChoiceRow {
  template: string; due_days: number; why: string
  origin?: string; severities?: string; data_lost?: boolean; repeats?: boolean; paged?: boolean; scopes_over?: number; longer_than_min?: number
}

export const hintLine = (row: HintRow): string => `“${row.phrase}” (${row.kind}): ${row.advice}`

const ORIGINS: Record<string, string> = { real: 'it happened', near_miss: 'it was declared a near miss', import: 'it was brought from elsewhere', drill: 'it is a drill' }

/** What has to hold; "anything else" when nothing is asked. */
export function conditions(row: ChoiceRow): string {
  const words = [
    row.origin && (ORIGINS[row.origin] ?? row.origin),
    row.severities && `severity ${row.severities.trim().split(/\s+/).join(' or ')}`,
    row.data_lost && 'data was lost',
    row.repeats && 'it happened before',
    row.paged && 'somebody was paged',
    row.scopes_over && `more than ${row.scopes_over} ${row.scopes_over === 1 ? 'scope' : 'scopes'} of impact`,
    row.longer_than_min && `it lasted more than ${row.longer_than_min} min`,
  ].filter(Boolean)
  return words.length > 0 ? words.join(', ') : 'anything else'
}

export const choiceLine = (row: ChoiceRow): string => `${row.template}, due in ${row.due_days} d, when ${conditions(row)}: ${row.why}`

/** "rows[3]: kind: is missing" as {row: 3, words: "Row 4: kind: is missing"}; row -1: it names none. */
export function wrongRow(error: string): { row: number; words: string } {
  const found = /^rows\[(\d+)\]: (.*)$/s.exec(error)
  if (!found) return { row: -1, words: error }
  const words = (found[2] ?? '').replace(/rows\[(\d+)\]/g, (_, at: string) => `row ${Number(at) + 1}`)
  return { row: Number(found[1]), words: `Row ${Number(found[1]) + 1}: ${words}` }
}

export function moved<Row>(rows: readonly Row[], from: number, to: number): Row[] {
  const next = [...rows]
  const [row] = next.splice(from, 1)
  if (row !== undefined) next.splice(to, 0, row)
  return next
}
