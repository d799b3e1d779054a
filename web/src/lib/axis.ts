// What happened of an incident on the axis of time that its graphs have: shares of the width
// between two moments, and on which line the words of a mark find room.
//
//     |        impact.............|        words lie right of their line,
//     |        detected  ack      |        left of it where the edge is near,
//     |            ====alert====  |        a line lower where others are

export interface Span { fromMs: number; toMs: number }

/** 0 to 1 inside the span; null: outside of it. */
export function shareOf(atMs: number, { fromMs, toMs }: Span): number | null {
  const share = (atMs - fromMs) / (toMs - fromMs)
  return share >= 0 && share <= 1 ? share : null
}

export interface Bar { from: number; to: number }

/** The part of a stretch that the span shows; null: none of it. An end of null goes on. */
export function barOf(fromMs: number, endMs: number | null, span: Span): Bar | null {
  const end = endMs ?? span.toMs
  if (end < span.fromMs || fromMs > span.toMs || end < fromMs) return null
  const { fromMs: first, toMs: last } = span
  return { from: (Math.max(fromMs, first) - first) / (last - first), to: (Math.min(end, last) - first) / (last - first) }
}

export interface Placed<T> { mark: T; at: number; row: number; toLeft: boolean }

const LETTER_PX = 6.4
const AROUND_PX = 12

/** Each mark with a line of words that hides no other's. */
export function placeMarks<T extends { atMs: number; words: string }>(marks: readonly T[], span: Span, widthPx: number): Placed<T>[] {
  const taken: { row: number; from: number; to: number }[] = []
  const inOrder = [...marks].sort((a, b) => a.atMs - b.atMs)
  return inOrder.flatMap((mark) => {
    const at = shareOf(mark.atMs, span)
    if (at === null) return []
    const [leftPx, rightPx] = [at * widthPx, (1 - at) * widthPx]
    const wanted = mark.words.length * LETTER_PX + AROUND_PX
    const toLeft = wanted > rightPx && leftPx > rightPx // cut where neither side has the room
    const wide = Math.min(wanted, toLeft ? leftPx : rightPx)
    const from = at * widthPx - (toLeft ? wide : 0)
    let row = 0
    while (taken.some((one) => one.row === row && one.from < from + wide && from < one.to)) row++
    taken.push({ row, from, to: from + wide })
    return [{ mark, at, row, toLeft }]
  })
}
