// The Markdown that alertd writes into a debrief, as the tree that documents are drawn from: headings,
// paragraphs, lists, quotes, tables; strong, code, links. What is none of these stays as it is.

import type { DocumentNode } from '../app/types.ts'

const text = (words: string): DocumentNode => ({ type: 'text', text: words })
const INLINE = /\*\*(.+?)\*\*|`([^`]+)`|!?\[([^\]]*)\]\(([^)\s]+)\)/g

export function inlineOf(words: string): DocumentNode[] {
  const nodes: DocumentNode[] = []
  let at = 0
  for (const found of words.matchAll(INLINE)) {
    if (found.index > at) nodes.push(text(words.slice(at, found.index)))
    at = found.index + found[0].length
    if (found[1] !== undefined) nodes.push({ type: 'strong', children: inlineOf(found[1]) })
    else if (found[2] !== undefined) nodes.push({ type: 'code', text: found[2] })
    else if (found[0].startsWith('!')) nodes.push(text(found[3] ?? ''))
    else nodes.push({ type: 'link', href: found[4] ?? '', children: [text(found[3] ?? '')] })
  }
  if (at < words.length) nodes.push(text(words.slice(at)))
  return nodes
}

/** `\|` within a cell is a bar. */
const cellsOf = (line: string) => line.trim().replace(/^\||\|$/g, '').split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'))

function tableOf(lines: string[]): DocumentNode {
  const rows = lines.filter((line) => !/^[\s|:-]+$/.test(line)).map(cellsOf)
  return { type: 'table', children: rows.map((cells, i) => ({ type: 'row', children: cells.map((cell) => ({ type: 'cell', header: i === 0, children: inlineOf(cell) })) })) }
}

const KINDS: [RegExp, (lines: string[]) => DocumentNode][] = [
  [/^#{1,6} /, (lines) => ({ type: 'heading', level: /^#+/.exec(lines[0] ?? '')?.[0].length ?? 1, children: inlineOf((lines[0] ?? '').replace(/^#+ /, '')) })],
  [/^\|/, tableOf],
  [/^[-*] /, (lines) => ({ type: 'list', ordered: false, children: lines.map((line) => ({ type: 'item', children: inlineOf(line.replace(/^[-*] (\[[ x]\] )?/, '')) })) })],
  [/^\d+\. /, (lines) => ({ type: 'list', ordered: true, children: lines.map((line) => ({ type: 'item', children: inlineOf(line.replace(/^\d+\. /, '')) })) })],
  [/^> ?/, (lines) => ({ type: 'quote', children: [{ type: 'paragraph', children: inlineOf(lines.map((line) => line.replace(/^> ?/, '')).join(' ')) }] })],
]

/** Lines of one kind that stand together are one block. */
export function markdownNodes(markdown: string): DocumentNode[] {
  const nodes: DocumentNode[] = []
  const lines = markdown.replace(/<!--[^]*?-->/g, '').split('\n')
  for (let i = 0; i < lines.length;) {
    const line = lines[i] ?? ''
    const kind = KINDS.find(([begins]) => begins.test(line))
    const belongs = (one: string) => one.trim() !== '' && (kind ? kind[0].test(one) : !KINDS.some(([begins]) => begins.test(one)))
    let end = i + 1
    while (end < lines.length && kind !== KINDS[0] && belongs(lines[end] ?? '')) end++
    if (line.trim() !== '') nodes.push(kind ? kind[1](lines.slice(i, end)) : { type: 'paragraph', children: inlineOf(lines.slice(i, end).join(' ')) })
    i = line.trim() === '' ? i + 1 : end
  }
  return nodes
}
