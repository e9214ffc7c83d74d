/** What a recipe is, without what carries it out. */
export { parseRecipe, parseSource } from './parse.ts'
export type { GivenRecipe, Source } from './schema.ts'
