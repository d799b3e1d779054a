// The keyboard, as a small machine: "g" then "w" within a second is the command "g w".
//
//     idle --first key of a longer command--> waiting --second key--> command, idle
//      ^                                         |
//      +------- another key, or a second --------+
//
// Single letters are dead inside inputs, and can be turned off altogether (WCAG 2.1.4).

export const WAIT_MS = 1000

export interface KeyState { first: string; atMs: number }
export const IDLE: KeyState = { first: '', atMs: 0 }

export interface Step { state: KeyState; command: string | null }

/** commands: what is known now: "a", "g w", "?", "/". */
export function step(state: KeyState, key: string, nowMs: number, commands: ReadonlySet<string>): Step {
  const sequence = state.first && nowMs - state.atMs <= WAIT_MS ? `${state.first} ${key}` : ''
  if (sequence && commands.has(sequence)) return { state: IDLE, command: sequence }
  for (const command of commands) {
    if (command.startsWith(`${key} `)) return { state: { first: key, atMs: nowMs }, command: null }
  }
  return { state: IDLE, command: commands.has(key) ? key : null }
}

/** Does this element take letters for itself? */
export function takesText(tag: string, type: string, editable: boolean): boolean {
  if (editable || tag === 'TEXTAREA' || tag === 'SELECT') return true
  return tag === 'INPUT' && !['checkbox', 'radio', 'button', 'submit', 'range'].includes(type)
}
