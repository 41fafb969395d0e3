import FxferStorage
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

    @Test("cleans up even after it was shut down")
    func shutDown() async throws {
        let pool = DiskPool(threads: 2)
        try await pool.shutDown()
        await #expect(throws: CancellationError.self) { try await pool.run {} }
        await pool.runInAnyCase {}
    }
}
