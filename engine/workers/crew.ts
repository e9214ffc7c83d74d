import { Worker } from 'node:worker_threads'
import type { Answer, FromWorker, Task, WorkerSetup } from './messages.ts'

/** Tasks that a worker holds at once: the next ones are there before it has to wait for them. */
const tasksEachMax = 4
/** Tasks begun and not yet handed on, for each worker: what a slow series may hold up. */
const windowEach = 64

type Member = { readonly worker: Worker; readonly holds: Task[]; ready: boolean }

/**
 * Sends tasks to worker threads and hands on their answers in the order of the tasks. A task whose
 * worker dies is answered with a refusal, and another worker takes over what else it held. The
 * workers end with the iteration, however that ends.
 *
 * @throws when a worker dies before it could take a task: then none ever will
 */
export async function* answersInOrder(
  tasks: Iterator<Task>,
  setup: WorkerSetup,
  options: { readonly workers: number; readonly entry: URL },
): AsyncGenerator<Answer, void, undefined> {
  const crew = new Set<Member>()
  const waiting: Task[] = []
  const answers = new Map<number, Answer>()
  let [next, taken, isExhausted] = [0, 0, false]
  let isOver = false
  let fault: Error | undefined
  let change = Promise.withResolvers<void>()

  try {
    for (let i = 0; i < options.workers; i++) hire()
    for (;;) {
      takeTasks()
      handOut()
      const answer = answers.get(next)
      if (answer !== undefined) {
        answers.delete(next++)
        yield answer
      } else if (fault !== undefined) {
        throw fault
      } else if (isExhausted && next === taken) {
        return
      } else {
        await change.promise
        change = Promise.withResolvers()
      }
    }
  } finally {
    isOver = true
    tasks.return?.()
    await Promise.all([...crew].map(({ worker }) => worker.terminate()))
  }

  function hire(): void {
    const worker = new Worker(options.entry, { workerData: setup })
    const member: Member = { worker, holds: [], ready: false }
    crew.add(member)
    worker.on('message', (message: FromWorker) => {
      if (message === 'ready') member.ready = true
      else answers.set(member.holds.shift()!.place, message)
      change.resolve()
    })
    let reason = 'it ended'
    worker.on('error', (error) => {
      reason = error instanceof Error ? error.message : String(error)
    })
    worker.on('exit', () => lose(member, reason))
  }

  function lose(member: Member, reason: string): void {
    crew.delete(member)
    if (isOver) return
    const [victim, ...rest] = member.holds
    if (victim !== undefined) {
      const detail = `The worker that fitted this series failed: ${reason}.`
      answers.set(victim.place, { kind: 'refused', reason: { code: 'worker-failed', detail } })
    }
    waiting.unshift(...rest)
    if (member.ready) hire()
    else fault ??= new Error(`a worker could not start: ${reason}`)
    change.resolve()
  }

  function takeTasks(): void {
    while (!isExhausted && taken - next < windowEach * options.workers) {
      const { value, done } = tasks.next()
      if (done === true) isExhausted = true
      else {
        waiting.push(value)
        taken++
      }
    }
  }

  function handOut(): void {
    for (;;) {
      const free = [...crew].filter(({ ready, holds }) => ready && holds.length < tasksEachMax)
      const [least] = free.sort((a, b) => a.holds.length - b.holds.length)
      const task = least === undefined ? undefined : waiting.shift()
      if (least === undefined || task === undefined) return
      try {
        least.worker.postMessage(task)
        least.holds.push(task)
      } catch (error) {
        const detail = `The series cannot be sent to a worker: ${String(error)}.`
        answers.set(task.place, { kind: 'refused', reason: { code: 'wrong-type', detail } })
      }
    }
  }
}
