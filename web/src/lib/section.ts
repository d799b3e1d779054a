// A runbook is one document with a heading per alert; a link names the heading.

import type { DocumentNode } from '../app/types.ts'

export function plainText(node: DocumentNode): string {
  return node.text ?? (node.children ?? []).map(plainText).join('')
}

/** "HostOutOfMemory" -> "hostoutofmemory", "What to do?" -> "what-to-do": as GitHub does. */
export function anchorOf(words: string): string {
  return words.trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-')
}

/** The heading with this anchor and all below it, up to the next of its rank; null: no such. */
export function sectionOf(nodes: readonly DocumentNode[], anchor: string): DocumentNode[] | null {
  const from = nodes.findIndex((node) => node.type === 'heading' && anchorOf(plainText(node)) === anchor)
  const level = nodes[from]?.level ?? 0
  if (from < 0) return null
  const rest = nodes.slice(from + 1).findIndex((node) => node.type === 'heading' && (node.level ?? 0) <= level)
  return nodes.slice(from, rest < 0 ? undefined : from + 1 + rest)
}

/** "/runbooks/host#hostoutofmemory" on this origin -> its pack and anchor; null: someone else's page. */
export function ownRunbook(url: string, origins: readonly string[]): { pack: string; anchor: string } | null {
  let parsed: URL
  try {
    parsed = new URL(url, origins[0])
  } catch {
    return null
  }
  const found = /^\/runbooks\/([\w.-]+)$/.exec(parsed.pathname)
  return found?.[1] && origins.includes(parsed.origin) ? { pack: found[1], anchor: decodeURIComponent(parsed.hash.slice(1)) } : null
}
