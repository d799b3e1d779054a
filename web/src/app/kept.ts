// A text that saves itself while it is typed.
//
//     clean --typing--> dirty --0.8 s of rest--> saving --2xx--> clean
//                         ^                        +---else---> failed, tried again in 10 s
//
// What is typed is in this browser's storage until alertd has it: a reload, a dead battery or a
// dead alertd loses nothing. What others see of it meanwhile is what was saved last.

import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from './api.ts'

const REST_MS = 800
const RETRY_MS = 10_000

export type Keeping = 'clean' | 'dirty' | 'saving' | 'failed'
export interface Kept { text: string; keeping: Keeping; problem: string; type: (text: string) => void; saveNow: () => Promise<boolean> }

/**
 * `name` names the text in this browser, `stored` is what alertd has, `save` hands it over; a text that is not
 * `worth` it waits here.
 */
export function useKept(name: string, stored: string, save: (text: string) => Promise<unknown>, worth: (text: string) => boolean = () => true): Kept {
  const kept = `kept ${name}`
  const [text, setText] = useState(() => localStorage.getItem(kept) ?? stored)
  const [keeping, setKeeping] = useState<Keeping>(() => (localStorage.getItem(kept) === null ? 'clean' : 'dirty'))
  const [problem, setProblem] = useState('')
  const latest = useRef(text)
  const running = useRef<Promise<boolean> | null>(null)

  // Somebody else's hand, or another tab: shown only while nothing of ours waits.
  useEffect(() => {
    if (keeping === 'clean' && localStorage.getItem(kept) === null) {
      latest.current = stored
      setText(stored)
    }
  }, [stored])

  const send = async (): Promise<boolean> => {
    const sent = latest.current
    setKeeping('saving')
    try {
      await save(sent)
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : String(error))
      setKeeping('failed')
      return false
    }
    setProblem('')
    if (latest.current !== sent) {
      setKeeping('dirty')
      return false
    }
    localStorage.removeItem(kept)
    setKeeping('clean')
    return true
  }
  /** True when alertd has all of it. One at a time: an older text never comes in behind a newer one. */
  const saveNow = async (): Promise<boolean> => {
    await running.current
    if (localStorage.getItem(kept) === null) return true
    if (!worth(latest.current)) return false
    running.current = send().finally(() => { running.current = null })
    return running.current
  }

  useEffect(() => {
    if (keeping !== 'dirty' && keeping !== 'failed') return undefined
    const timer = setTimeout(() => { void saveNow() }, keeping === 'failed' ? RETRY_MS : REST_MS)
    return () => clearTimeout(timer)
  }, [text, keeping])

  // Going elsewhere does not wait for the rest: the draft would only come back with this page.
  const leave = useRef(saveNow)
  leave.current = saveNow
  useEffect(() => () => { void leave.current() }, [])

  const type = (next: string) => {
    latest.current = next
    localStorage.setItem(kept, next)
    setText(next)
    setKeeping('dirty')
  }
  return { text, keeping, problem, type, saveNow }
}
