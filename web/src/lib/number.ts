// Numbers as people read them: four significant digits, no false precision.

/** "0.9312", "12.5", "1,204", "3.21e9", "NaN", "+Inf". */
export function formatValue(value: number | string): string {
  const n = typeof value === 'string' ? parseValue(value) : value
  if (Number.isNaN(n)) return 'NaN'
  if (!Number.isFinite(n)) return n > 0 ? '+Inf' : '-Inf'
  const size = Math.abs(n)
  if (size !== 0 && (size >= 1e9 || size < 1e-4)) return n.toExponential(2).replace('e+', 'e')
  if (size >= 1000) return n.toLocaleString('en', { maximumFractionDigits: size < 10000 ? 1 : 0 })
  return String(Number(n.toPrecision(4)))
}

/** Prometheus writes "+Inf" and "NaN" into its JSON strings. */
export function parseValue(text: string): number {
  if (/^[+]?Inf$/i.test(text)) return Infinity
  if (/^-Inf$/i.test(text)) return -Infinity
  return Number(text)
}

/** "1 incident", "3 incidents". */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`
}

/** "812 B", "4.1 kB", "2.3 GB": powers of a thousand. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let size = bytes
  let i = 0
  for (; size >= 999.5 && i < units.length - 1; i++) size /= 1000
  return `${i === 0 || size >= 99.5 ? Math.round(size) : size.toFixed(1)} ${units[i]}`
}
