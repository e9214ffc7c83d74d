/** What a recipe is, without what carries it out. */
export { escaped } from '../sql/keys.ts'
export { parseRecipe, parseSource } from './parse.ts'
export type { Recipe } from './recipe.ts'
export type { GivenRecipe, Source } from './schema.ts'
