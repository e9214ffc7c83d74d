// Ends with 0 when the URL given answers 2xx, else with 1: the health check of an image without curl.
// Plain JavaScript, since it runs every few seconds and should start at once.
const url = process.argv[2]
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
} catch (error) {
  process.stderr.write(`${url}: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
