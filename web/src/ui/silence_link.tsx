// From an alert or an incident to the form of a silence, filled with its labels.

import { may } from '../app/api.ts'
import { silencePath } from '../lib/silence.ts'
import { Icon } from './icon.tsx'

export function SilenceLink({ labels }: { labels: Record<string, string> }) {
  if (!may('operate')) return null
  const what = labels['instance'] ?? labels['alertname'] ?? ''
  return <a class="button" href={silencePath(labels)}><Icon name="mute" size={16} /> Silence<span class="hidden"> {labels['alertname']} {what}</span></a>
}
