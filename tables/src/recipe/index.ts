/** What a recipe is, without what carries it out. */
export { parseRecipe } from './parse.ts'
export type { GivenRecipe } from './schema.ts'
