/// Work that goes on beside the reading of a connection, begun from anywhere and run in one place, where it is waited
/// for.
struct JobQueue: Sendable {
    typealias Job = @Sendable () async -> Void

    /// How many jobs of one connection run at once: enough that the disk's threads are busy, and no more descriptors
    /// and memory than that.
    private static let limit = 16

    private let jobs: AsyncStream<Job>
    private let input: AsyncStream<Job>.Continuation

    init() {
        (self.jobs, self.input) = AsyncStream.makeStream()
    }

    func begin(_ job: @escaping Job) {
        self.input.yield(job)
    }

    /// Nothing more is begun.
    func end() {
        self.input.finish()
    }

    /// Runs jobs side by side until ``end()`` was called, or the task is cancelled, and all have ended.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await job in self.jobs {
                if running == Self.limit {
                    await group.next()
                    running -= 1
                }
                group.addTask { await job() }
                running += 1
            }
        }
    }
}
