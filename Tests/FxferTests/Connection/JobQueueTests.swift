import NIOConcurrencyHelpers
import Testing

@testable import Fxfer

@Suite("Work beside the reading of a connection")
struct JobQueueTests {
    @Test("jobs run side by side, and the queue ends when all have ended")
    func sideBySide() async {
        let queue = JobQueue()
        let (signals, signal) = AsyncStream<Void>.makeStream()
        let done = NIOLockedValueBox<[String]>([])
        queue.begin {
            // Waits for the job behind it: one after the other, the two would never end.
            for await _ in signals { break }
            done.withLockedValue { $0.append("first") }
        }
        queue.begin {
            done.withLockedValue { $0.append("second") }
            signal.yield()
        }
        queue.end()
        await queue.run()
        #expect(done.withLockedValue { $0 } == ["second", "first"])
    }

    @Test("a job may begin another")
    func nested() async {
        let queue = JobQueue()
        let done = NIOLockedValueBox(0)
        queue.begin {
            queue.begin {
                done.withLockedValue { $0 += 1 }
                queue.end()
            }
        }
        await queue.run()
        #expect(done.withLockedValue { $0 } == 1)
    }

    @Test("what is begun after the end is not run")
    func afterTheEnd() async {
        let queue = JobQueue()
        let done = NIOLockedValueBox(0)
        queue.end()
        queue.begin { done.withLockedValue { $0 += 1 } }
        await queue.run()
        #expect(done.withLockedValue { $0 } == 0)
    }

    @Test("a cancelled queue takes nothing more, and waits for what runs")
    func cancelled() async {
        let queue = JobQueue()
        let (starts, started) = AsyncStream<Void>.makeStream()
        let (signals, signal) = AsyncStream<Void>.makeStream()
        let done = NIOLockedValueBox(false)
        queue.begin {
            started.yield()
            // Ends by the cancellation alone.
            for await _ in signals {}
            done.withLockedValue { $0 = Task.isCancelled }
        }
        let run = Task { await queue.run() }
        for await _ in starts { break }
        run.cancel()
        await run.value
        #expect(done.withLockedValue { $0 })
        signal.finish()
    }
}
