const months = 60
const firstYear = 2019

/** A level, a trend and a season of its own, and noise: the same for the same number. */
export function monthlySeries(i: number): Float64Array {
  let state = (i * 2_654_435_761 + 1) >>> 0
  const chance = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const level = 20 + 200 * chance()
  const trend = (chance() - 0.4) * 0.5
  const season = 0.3 * chance()
  const phase = 12 * chance()
  return Float64Array.from({ length: months }, (_, t) => {
    const wave = 1 + season * Math.sin((2 * Math.PI * (t + phase)) / 12)
    const noise = (chance() + chance() + chance() - 1.5) * 0.1 * level
    return Math.round(100 * ((level + trend * t) * wave + noise)) / 100
  })
}

/** `id,month,value`, a row for each month of each series. */
export function* monthlyRows(count: number): Generator<string> {
  const names = Array.from({ length: months }, (_, t) => {
    const month = String(1 + (t % 12)).padStart(2, '0')
    return `${firstYear + Math.floor(t / 12)}-${month}-01`
  })
  let text = 'id,month,value\n'
  for (let i = 0; i < count; i++) {
    const y = monthlySeries(i)
    const id = String(i).padStart(7, '0')
    for (const [t, value] of y.entries()) text += `${id},${names[t]},${value}\n`
    if (text.length > pieceCharacters) {
      yield text
      text = ''
    }
  }
  yield text
}

const pieceCharacters = 1_000_000
