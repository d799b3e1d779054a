// esbuild takes style sheets into the bundle; there is nothing in them to import.
declare module '*.css'

// The sheet of a view that comes later, as text: app/sheet.ts puts it on the page.
declare module '*.sheet' {
  const text: string
  export default text
}
