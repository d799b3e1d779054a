// Colours for canvases: light-dark() is resolved by painting it, for custom properties keep the
// function as text.

export function ink(name: string): string {
  const probe = document.createElement('i')
  probe.style.color = `var(${name})`
  document.body.append(probe)
  const value = getComputedStyle(probe).color
  probe.remove()
  return value
}

/** The same, to be seen through: colours are computed as rgb(). */
export const faint = (name: string, alpha: number): string => ink(name).replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`)

/** A canvas as large as its box, in real pixels; the context counts in those of the page. */
export function contextOf(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const ratio = devicePixelRatio || 1
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(height * ratio)
  }
  const context = canvas.getContext('2d')
  context?.setTransform(ratio, 0, 0, ratio, 0, 0)
  context?.clearRect(0, 0, width, height)
  return context
}
