/** For editors and bare `vitest`, which look for a file of this name. */
export { default } from './vitest.workspace.js'
