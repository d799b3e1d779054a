// Never move what the hand is on.
//
// While someone points at a list, selects in it or has the focus inside, its rows stay where
// they are: a row's content may change, rows that went stay (marked), rows that came wait
// behind a "3 new" pill. Letting go shows the newest list.

export interface Held<T> {
  rows: { item: T; gone: boolean }[]
  waiting: number
}

/** shown: the keys on the screen, in order; null when nothing is held. */
export function hold<T>(latest: readonly T[], shown: readonly T[] | null, keyOf: (item: T) => string): Held<T> {
  if (!shown) return { rows: latest.map((item) => ({ item, gone: false })), waiting: 0 }
  const byKey = new Map(latest.map((item) => [keyOf(item), item]))
  const rows = shown.map((old) => {
    const now = byKey.get(keyOf(old))
    return { item: now ?? old, gone: now === undefined }
  })
  const known = new Set(shown.map(keyOf))
  return { rows, waiting: latest.filter((item) => !known.has(keyOf(item))).length }
}
