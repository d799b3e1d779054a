// esbuild takes style sheets into the bundle; there is nothing in them to import.
declare module '*.css'
