// A document's tree as elements: alertd parsed the Markdown, so no text becomes markup here.
//
// Only types named below are shown as such; of an unknown one, its children. A link leads to
// http, https, mailto or a place of ours; anything else is shown as text.

import { createContext, createElement, type ComponentChildren } from 'preact'
import { useContext, useEffect, useMemo, useState } from 'preact/hooks'
import type { DocumentNode } from '../app/types.ts'
import { piecesOf } from '../lib/pieces.ts'
import { anchorOf, plainText } from '../lib/section.ts'
import { memo } from './memo.ts'

/** Where graphs are: those of a document carry the letters of its timeline. */
export const GraphBase = createContext('/api/alertd/v1/graphs')

function Graph({ node }: { node: DocumentNode }) {
  const base = useContext(GraphBase)
  return <img class="graph" src={`${base}/${node.id ?? 0}.svg`} alt={node.title ?? 'graph'} />
}

const SAFE_LINK = /^(https?:|mailto:|\/(?!\/)|#)/i

function inside(node: DocumentNode): ComponentChildren {
  return node.children?.map((child, i) => <Node key={i} node={child} />) ?? node.text ?? null
}

function List({ node }: { node: DocumentNode }) {
  const cut = node.goes_on ? { class: 'goes-on' } : {}
  return node.ordered ? <ol start={node.start ?? 1} {...cut}>{inside(node)}</ol> : <ul {...cut}>{inside(node)}</ul>
}

function Table({ node }: { node: DocumentNode }) {
  const rows = node.children ?? []
  const head = rows.filter((row) => row.children?.[0]?.header)
  const body = rows.filter((row) => !row.children?.[0]?.header)
  return (
    <div class="scroll"><table>
      {head.length > 0 && <thead>{head.map((row, i) => <Node key={i} node={row} />)}</thead>}
      <tbody>{body.map((row, i) => <Node key={i} node={row} />)}</tbody>
    </table></div>
  )
}

function Code({ node }: { node: DocumentNode }) {
  return node.block ? <pre class="code" tabIndex={0} aria-label={node.lang ? `${node.lang} code` : 'Code'}><code>{node.text}</code></pre> : <code>{node.text}</code>
}

export function Node({ node }: { node: DocumentNode }) {
  switch (node.type) {
    case 'text': return <>{node.text}</>
    case 'heading': return createElement(`h${Math.min(6, (node.level ?? 1) + 1)}`, {}, inside(node))
    case 'paragraph': return <p>{inside(node)}</p>
    case 'list': return <List node={node} />
    case 'item': return <li>{inside(node)}</li>
    case 'task': return <li class="task"><span aria-label={node.done ? 'done' : 'open'} role="img" class={node.done ? 'box done' : 'box'} /><div>{inside(node)}</div></li>
    case 'table': return <Table node={node} />
    case 'row': return <tr>{inside(node)}</tr>
    case 'cell': return createElement(node.header ? 'th' : 'td', { class: node.align === 'right' ? 'right' : node.align === 'center' ? 'center' : undefined }, inside(node))
    case 'code': return <Code node={node} />
    case 'quote': return <blockquote>{inside(node)}</blockquote>
    case 'rule': return <hr />
    case 'strong': return <strong>{inside(node)}</strong>
    case 'em': return <em>{inside(node)}</em>
    case 'break': return <br />
    case 'link': return SAFE_LINK.test(node.href ?? '') ? <a href={node.href} rel="noreferrer">{inside(node)}</a> : <>{inside(node)}</>
    case 'graph': return <Graph node={node} />
    default: return <>{inside(node)}</>
  }
}

interface DocumentProps {
  nodes: DocumentNode[]
  /** The document is the page: its headings keep their rank, and links can name them. */
  top?: boolean
  /** The anchor someone came for. */
  chosen?: string
}

export function Document({ nodes, top, chosen }: DocumentProps) {
  return (
    <article class="document">
      {nodes.map((node, i) => {
        if (!top || node.type !== 'heading') return <Node key={i} node={node} />
        const anchor = anchorOf(plainText(node))
        return createElement(`h${node.level ?? 1}`, { key: i, id: anchor, class: anchor === chosen ? 'chosen' : undefined }, inside(node))
      })}
    </article>
  )
}

const Piece = memo(({ nodes }: { nodes: DocumentNode[]; text: string }) => <>{nodes.map((node, i) => <Node key={i} node={node} />)}</>, (a, b) => a.text === b.text)

/** As long as it likes: its pieces come one a frame, and a change draws those that differ. */
export function LongDocument({ nodes }: { nodes: DocumentNode[] }) {
  const pieces = useMemo(() => piecesOf(nodes).map((piece) => ({ nodes: piece, text: JSON.stringify(piece) })), [nodes])
  const [shown, setShown] = useState(1)
  useEffect(() => {
    if (shown >= pieces.length) return undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    const frame = requestAnimationFrame(() => { timer = setTimeout(() => setShown(shown + 1)) })
    return () => { cancelAnimationFrame(frame); clearTimeout(timer) }
  }, [shown, pieces.length])
  return <article class="document">{pieces.slice(0, shown).map((piece, i) => <Piece key={i} {...piece} />)}</article>
}
