// A long document in pieces that are drawn one after the other, so that what is read first
// stands at once, and what is typed draws one piece anew.

import type { DocumentNode } from '../app/types.ts'

const NODES_MAX = 60

/** A list of more is cut: its pieces go on counting where the one before ended. */
function cutList(list: DocumentNode): DocumentNode[] {
  const items = list.children ?? []
  if (list.type !== 'list' || items.length <= NODES_MAX) return [list]
  const parts: DocumentNode[] = []
  for (let at = 0; at < items.length; at += NODES_MAX) {
    parts.push({ ...list, children: items.slice(at, at + NODES_MAX), start: (list.start ?? 1) + at, goes_on: at + NODES_MAX < items.length })
  }
  return parts
}

const weight = (node: DocumentNode): number => Math.max(1, node.children?.length ?? 1)

export function piecesOf(nodes: readonly DocumentNode[]): DocumentNode[][] {
  const pieces: DocumentNode[][] = []
  let piece: DocumentNode[] = []
  let heavy = 0
  for (const node of nodes.flatMap(cutList)) {
    if (piece.length > 0 && heavy + weight(node) > NODES_MAX) {
      pieces.push(piece)
      piece = []
      heavy = 0
    }
    piece.push(node)
    heavy += weight(node)
  }
  if (piece.length > 0) pieces.push(piece)
  return pieces
}
