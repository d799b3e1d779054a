// esbuild takes style sheets into the bundle; there is nothing in them to import.
declare module '*.css'
// But what only one view has, too much for the first page: its text, see ui/sheet.ts.
declare module '*.later.css' {
  const text: string
  export default text
}
