// ISO weeks as the report names them: "2026-W47".

import { DAY } from './time.ts'

/** The Monday of a year's first week: the week that 4 January is in. */
function firstMonday(year: number): number {
  const fourth = Date.UTC(year, 0, 4)
  return fourth - ((new Date(fourth).getUTCDay() + 6) % 7) * DAY
}

/** The week of an instant, by UTC: which week is shown first; its edges are alertd's to know. */
export function weekOf(atMs: number): string {
  let year = new Date(atMs).getUTCFullYear()
  if (atMs >= firstMonday(year + 1)) year++
  else if (atMs < firstMonday(year)) year--
  const number = Math.floor((atMs - firstMonday(year)) / (7 * DAY)) + 1
  return `${year}-W${String(number).padStart(2, '0')}`
}

/** So many weeks later; a text that is no week stays as it is. */
export function weekStep(week: string, by: number): string {
  const found = /^(\d{4})-W(\d\d)$/.exec(week)
  if (!found) return week
  return weekOf(firstMonday(Number(found[1])) + ((Number(found[2]) - 1 + by) * 7 + 3) * DAY)
}

/** A share with what it may truly be. */
export function shareWords(share: number | null, low: number | null, high: number | null): { short: string; long: string } {
  if (share === null) return { short: '–', long: 'nobody said' }
  const percent = (part: number | null) => Math.round((part ?? 0) * 100)
  return { short: `${percent(share)} %`, long: `${percent(share)} %; truly between ${percent(low)} % and ${percent(high)} % in 95 of 100 such weeks` }
}
