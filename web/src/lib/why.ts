// What a step of /api/alertd/v1/why means: it lets the page through, stops it, waits, is not known.

export type WhyMark = 'passes' | 'stops' | 'waits' | 'unknown' | 'neutral'

const RESULTS: Record<Exclude<WhyMark, 'neutral'>, string[]> = {
  stops: ['silenced', 'inhibited', 'muted', 'not active', 'reaches nobody', 'refused', 'given up', 'not true', 'failing'],
  passes: ['fires', 'kept firing', 'no data', 'taken', 'below', 'accepted', 'opened', 'opened again', 'pages', 'would page', 'told'],
  waits: ['pending', 'waits', 'waiting', 'failed, tried again', 'acknowledged', 'held back', 'silenced later', 'would begin', 'supposed'],
  unknown: ['not known'],
}

export function mark(result: string): WhyMark {
  for (const [name, results] of Object.entries(RESULTS)) if (results.includes(result)) return name as WhyMark
  return 'neutral'
}

/** A local time of an input as the API takes it; null when there is none. */
export function parseMoment(local: string): string | null {
  const atMs = local ? Date.parse(local) : NaN
  return Number.isNaN(atMs) ? null : new Date(atMs).toISOString()
}
