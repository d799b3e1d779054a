// Long documents are cut into pieces without losing or changing what they say.

import assert from 'node:assert/strict'
import test from 'node:test'
import type { DocumentNode } from '../src/app/types.ts'
import { piecesOf } from '../src/lib/pieces.ts'

const items = (n: number): DocumentNode[] => Array.from({ length: n }, (_, i) => ({ type: 'item', children: [{ type: 'text', text: `${i}` }] }))
const paragraphs = (n: number): DocumentNode[] => Array.from({ length: n }, (_, i) => ({ type: 'paragraph', children: [{ type: 'text', text: `${i}` }] }))

test('a short document is one piece, an empty one none', () => {
  assert.equal(piecesOf(paragraphs(5)).length, 1)
  assert.deepEqual(piecesOf([]), [])
})

test('many paragraphs are pieces in their order', () => {
  const pieces = piecesOf(paragraphs(150))
  assert.ok(pieces.length >= 3)
  assert.deepEqual(pieces.flat(), paragraphs(150))
})

test('a long list is cut, counts on, and says where it goes on', () => {
  const pieces = piecesOf([{ type: 'list', ordered: true, start: 5, children: items(130) }])
  assert.deepEqual(pieces.flat().map((one) => [one.start, one.children?.length, one.goes_on]), [[5, 60, true], [65, 60, true], [125, 10, false]])
  assert.deepEqual(pieces.flat().flatMap((one) => one.children), items(130))
})
