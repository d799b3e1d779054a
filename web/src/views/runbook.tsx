// A pack's runbook: what each of its alerts means and what to do, a heading per alert.

import { useEffect } from 'preact/hooks'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { address } from '../app/router.ts'
import type { DocumentNode } from '../app/types.ts'
import { Document } from '../ui/document.tsx'
import { Empty, Shown } from '../ui/parts.tsx'

export function Runbook({ id }: { id: string }) {
  const data = useData<{ nodes: DocumentNode[] }>(`/api/alertd/v1/runbooks/${encodeURIComponent(id)}`, [], 3_600_000)
  const anchor = decodeURIComponent(address.value.hash.slice(1))
  pageTitle.value = `Runbook ${id}`
  useEffect(() => {
    if (anchor) document.getElementById(anchor)?.scrollIntoView({ block: 'start' })
  }, [anchor, data.value === undefined])
  if (data.error?.status === 404) return <Empty icon="book" title={`There is no runbook ${id}`}><p><a href="/rules">All rules</a></p></Empty>
  return (
    <Shown data={data} what="The runbook could not be read">{({ nodes }) => (
      <>
        <p class="crumbs"><a href="/rules">Rules</a> <span aria-hidden="true">/</span> runbook <b>{id}</b></p>
        <div class="panel paper"><Document nodes={nodes} top chosen={anchor} /></div>
      </>
    )}</Shown>
  )
}
