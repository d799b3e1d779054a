// On an incident: who has a copy of its page. One quiet line, and nothing when nobody does.

import { useData } from '../app/data.ts'
import { nameOf, SHADOW_PAGES, TOPICS } from '../app/shadow.ts'
import type { ShadowPage } from '../app/types.ts'
import { progressWords } from '../lib/shadow.ts'
import { Icon } from '../ui/icon.tsx'

export function ShadowedBy({ incidentKey }: { incidentKey: string }) {
  const pages = useData<{ shadow_pages: ShadowPage[] }>(`${SHADOW_PAGES}?incident=${encodeURIComponent(incidentKey)}`, TOPICS, 30_000).value?.shadow_pages ?? []
  if (pages.length === 0) return null
  return (
    <p class="shadowed-by dim"><Icon name="shadow" size={15} /><span>Shadowed by {pages.map((page, i) => (
      <span key={page.id}>{i > 0 && '; '}<a href={`/shadowing/${page.id}`}>{nameOf(page)}</a> ({page.mode}): {progressWords(page)}</span>
    ))}</span></p>
  )
}
