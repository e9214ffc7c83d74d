/** The database was made by a later release, whose schema this one does not understand. */
export class NewerSchema extends Error {
  override name = 'NewerSchema'
}

export function newerSchema(where: string, found: number, known: number): NewerSchema {
  return new NewerSchema(
    `${where} has schema ${found}, this release knows ${known}: it was written by a later ` +
      'release; run that one, or restore a backup made before the upgrade',
  )
}
