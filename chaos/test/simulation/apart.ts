/** Simulations settle promises themselves, which is not possible from within one. */
export const apart = <T>(work: () => T): Promise<T> =>
  new Promise((resolve, reject) => {
    setTimeout(() => {
      try {
        resolve(work())
      } catch (error) {
        reject(error)
      }
    }, 0)
  })
