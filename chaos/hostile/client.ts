/** What a client that means no harm asks for, and keeps asking for. */
export async function askJson(
  url: string,
  init: RequestInit = {},
): Promise<{ readonly status: number; readonly text: string; readonly body: unknown }> {
  const headers = { 'content-type': 'application/json' }
  const signal = AbortSignal.timeout(70_000)
  const answer = await fetch(url, { headers, signal, ...init })
  const text = await answer.text()
  return { status: answer.status, text, body: JSON.parse(text) as unknown }
}

/** Fits a small model and waits until it serves. */
export async function fitSmall(url: string, model: string): Promise<string> {
  const data = Array.from({ length: 60 }, (_, i) => 10 + (i % 7))
  const spec = { family: 'baseline', method: 'seasonal-naive', seasonLength: 7 }
  const series = [{ y: data, start: '2024-01-01', frequency: 'daily' }]
  const path = `${url}/api/models/${model}/fit`
  const { status, text, body } = await askJson(path, {
    method: 'POST',
    body: JSON.stringify({ series, spec }),
  })
  if (status !== 200) throw new Error(`a plain fit of ${model} is answered with ${status}: ${text}`)
  return (body as { job: string }).job
}

/** Forecasts of a model in several ways, byte by byte. */
export async function forecastsOf(url: string, model: string): Promise<readonly string[]> {
  const questions = ['1', '500', '20?level=80,95', '20?level=50&timestamps=true', '7?version=1']
  const asked = questions.map(async (question) => {
    const path = `${url}/api/models/${model}/forecast/${question}`
    const { status, text } = await askJson(path)
    return `${status} ${question} ${text}`
  })
  return Promise.all(asked)
}
