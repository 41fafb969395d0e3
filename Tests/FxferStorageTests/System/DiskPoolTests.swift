import Dispatch
import FxferStorage
import Glibc
import Testing

@Suite("The disk pool")
struct DiskPoolTests {
    @Test("throws what the work throws and returns what it returns")
    func results() async throws {
        struct Failure: Error {}
        #expect(try await DiskPool.shared.run { 1 } == 1)
        await #expect(throws: Failure.self) { try await DiskPool.shared.run { throw Failure() } }
    }

    @Test("starts no work for a cancelled task, but cleaning up")
    func cancelled() async throws {
        await confirmation { cleanedUp in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                await #expect(throws: CancellationError.self) { try await DiskPool.shared.run { Issue.record("ran") } }
                await DiskPool.shared.runInAnyCase { cleanedUp() }
            }
            await task.value
        }
    }

    @Test("gives each job to the thread that was at work last")
    func sameThread() async throws {
        let pool = DiskPool(threads: 4)
        var threads: Set<pthread_t> = []
        for _ in 0..<100 {
            threads.insert(try await pool.run { pthread_self() })
        }
        #expect(threads.count == 1)
    }

    @Test("runs as many jobs at once as it has threads, and the rest afterwards")
    func concurrency() async throws {
        let pool = DiskPool(threads: 2)
        let (first, second) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let done = try await withThrowingTaskGroup(of: Int.self) { group in
            // These two wait for each other.
            group.addTask {
                try await pool.run {
                    first.signal()
                    second.wait()
                    return 1
                }
            }
            group.addTask {
                try await pool.run {
                    second.signal()
                    first.wait()
                    return 1
                }
            }
            for _ in 0..<20 {
                group.addTask { try await pool.run { 1 } }
            }
            return try await group.reduce(0, +)
        }
        #expect(done == 22)
    }
}
