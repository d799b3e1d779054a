// What the page knows of PromQL: where an error points, and nothing more.

export interface Place { line: number; column: number; message: string }

/** `invalid parameter "query": 1:7: parse error: words` -> line 1, column 7 (from 1). */
export function errorPlace(error: string): Place | null {
  const found = /(?:^|[\s:])(\d+):(\d+): (?:parse error: )?(.*)$/s.exec(error)
  if (!found) return null
  return { line: Number(found[1]), column: Number(found[2]), message: found[3] ?? '' }
}

/** The offset of a place in the text; past the end is the end. */
export function offsetOf(text: string, place: Place): number {
  const lines = text.split('\n')
  const before = lines.slice(0, place.line - 1).reduce((sum, line) => sum + line.length + 1, 0)
  return Math.min(text.length, before + Math.max(0, place.column - 1))
}

/** The line an error is in, and how far to indent the caret under it. */
export function caretLine(text: string, place: Place): { line: string; indent: number } {
  const line = text.split('\n')[place.line - 1] ?? ''
  return { line, indent: Math.min(line.length, Math.max(0, place.column - 1)) }
}

/** `{job="a", instance="b"}`, the name before it: as one writes it. */
export function formatSeries(labels: Record<string, string>): string {
  const name = labels['__name__'] ?? ''
  const pairs = Object.entries(labels).filter(([key]) => key !== '__name__').map(([key, value]) => `${key}="${value}"`)
  return pairs.length || !name ? `${name}{${pairs.join(', ')}}` : name
}
