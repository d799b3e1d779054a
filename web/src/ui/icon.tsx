// Icons: strokes on a 20 x 20 grid, in the colour of the text beside them. They repeat what a
// word says, so readers skip them.

const PATHS = {
  wall: 'M3 4h14v9H3z M7 17h6 M10 13v4',
  incidents: 'M10 2.5 18 16.5H2z M10 8v4 M10 14.2v.1',
  alerts: 'M5 13V9a5 5 0 0 1 10 0v4l1.5 2h-13z M8.5 17.5h3',
  mute: 'M5 13V9a5 5 0 0 1 9-3 M15 9.5V13l1.5 2H8 M8.5 17.5h3 M3 3l14 14',
  rules: 'M4 5h12 M4 10h12 M4 15h7',
  agents: 'M3 10h3l2-5 4 10 2-5h3',
  explore: 'M3 16V4 M3 16h14 M6 12l3-4 3 2 4-6',
  postmortems: 'M5 2.5h7l3.5 3.5v11.5H5z M12 2.5V6h3.5 M7.5 10h5.5 M7.5 13.5h5.5',
  report: 'M4 16.5V9 M8 16.5V4 M12 16.5v-6 M16 16.5V7',
  more: 'M4.5 10h.1 M10 10h.1 M15.5 10h.1',
  check: 'M4 10.5 8.5 15 16.5 5.5',
  cross: 'M5 5l10 10 M15 5 5 15',
  alarm: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15z M10 6v4.6 M10 13.6v.1',
  bang: 'M10 3.5v8.5 M10 16v.1',
  clock: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15z M10 5.5V10l3 2',
  hand: 'M5 10.5V6.2a1.3 1.3 0 0 1 2.6 0V4.3a1.3 1.3 0 0 1 2.6 0v1.2a1.3 1.3 0 0 1 2.6 0v1.7a1.3 1.3 0 0 1 2.6 0v5.3a5 5 0 0 1-5 5h-.8a5 5 0 0 1-4.2-2.3L3 11.7',
  note: 'M3.5 4h13v9H9l-3.5 3.5V13h-2z',
  sent: 'M17 3 2.5 9l5.5 2.5L10.5 17z M8 11.5 17 3',
  person: 'M10 9.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4z M3.5 17c.6-3.4 3.2-5 6.5-5s5.9 1.6 6.5 5',
  machine: 'M4 4h12v5H4z M4 11h12v5H4z M7 6.5h.1 M7 13.5h.1',
  question: 'M7 7.5a3 3 0 1 1 4.2 2.7c-.8.4-1.2.9-1.2 1.8 M10 15.5v.1',
  sun: 'M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z M10 1.8v1.7 M10 16.5v1.7 M1.8 10h1.7 M16.5 10h1.7 M4.2 4.2l1.2 1.2 M14.6 14.6l1.2 1.2 M4.2 15.8l1.2-1.2 M14.6 5.4l1.2-1.2',
  moon: 'M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5z',
  auto: 'M10 17a7 7 0 1 0 0-14z M10 3a7 7 0 0 0 0 14',
  globe: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15z M2.5 10h15 M10 2.5c5 5 5 10 0 15 M10 2.5c-5 5-5 10 0 15',
  keyboard: 'M2 5.5h16v9H2z M5 8.5h.1 M8.3 8.5h.1 M11.6 8.5h.1 M15 8.5h.1 M6 11.7h8',
  leave: 'M8 3.5H4v13h4 M8.5 10H17 M13.5 6.5 17 10l-3.5 3.5',
  link: 'M8 12l4-4 M7 9 4.8 11.2a2.8 2.8 0 0 0 4 4L11 13 M13 11l2.2-2.2a2.8 2.8 0 0 0-4-4L9 7',
  play: 'M6 4l10 6-10 6z',
  chevron: 'M7.5 5l5 5-5 5',
  up: 'M10 16V4.5 M5 9.5l5-5 5 5',
  book: 'M3 4.5c3-1.2 5-.8 7 .7 2-1.5 4-1.9 7-.7v11c-3-1.2-5-.8-7 .7-2-1.5-4-1.9-7-.7z M10 5.2v11',
  shadow: 'M7.5 9a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6z M2 16.5c.5-3.1 2.7-4.5 5.5-4.5s5 1.4 5.5 4.5 M12.5 3.6a2.8 2.8 0 0 1 0 5.2 M14.5 12.5c1.9.6 3.1 1.9 3.5 4',
  ready: 'M3.5 5.5 5 7l2.5-2.8 M3.5 13.5 5 15l2.5-2.8 M10.5 6h6 M10.5 14h6',
  search: 'M8.8 14.6a5.8 5.8 0 1 0 0-11.6 5.8 5.8 0 0 0 0 11.6z M13 13l4.2 4.2',
  drill: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15z M10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6z M10 1v3 M10 16v3 M1 10h3 M16 10h3',
  pause: 'M6.5 4v12 M13.5 4v12',
  next: 'M4 4l8 6-8 6z M15.5 4v12',
  download: 'M10 3v9.5 M6 9l4 4 4-4 M3.5 16.5h13',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  )
}
