// A query's cost, node by node, as rows of a table.

import type { ExplainNode } from '../app/types.ts'
import { formatTook } from './time.ts'

export interface ExplainRow {
  node: ExplainNode
  depth: number
  /** 0 to 1: the node's own part of the time, and with all below it. */
  own: number
  whole: number
}

/** In the order one reads them: each node, then what is below it. */
export function explainRows(tree: ExplainNode): ExplainRow[] {
  const rows: ExplainRow[] = []
  const whole = tree.total_ms
  const part = (ms: number) => (whole > 0 ? Math.min(1, Math.max(0, ms / whole)) : 0)
  const add = (node: ExplainNode, depth: number) => {
    rows.push({ node, depth, own: part(node.self_ms), whole: part(node.total_ms) })
    for (const child of node.children) add(child, depth + 1)
  }
  add(tree, 0)
  return rows
}

/** "4 µs", "1.12 ms": parts of a query are short. */
export function formatCost(ms: number): string {
  return ms < 1 ? `${Math.round(ms * 1000)} µs` : formatTook(ms)
}

/** "48 KiB", "1.2 MiB" */
export function formatBytes(bytes: number): string {
  return bytes < 2 ** 20 ? `${Math.ceil(bytes / 2 ** 10)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

/** "<1 %", "42 %" */
export function formatShare(part: number): string {
  if (part <= 0) return '0 %'
  return part < 0.01 ? '<1 %' : `${Math.round(part * 100)} %`
}
