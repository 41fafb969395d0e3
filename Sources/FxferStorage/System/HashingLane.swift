/// Lets only a few long hashes run at once, so that threads of the ``DiskPool`` are left for everybody else: whoever may
/// offer a file can have a large one read.
actor HashingLane {
    /// Half of the threads that a pool has at the least.
    private static let width = 8

    private var running = 0
    private var waiting: [(number: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    private var lastNumber = 0

    /// Runs `body` when there is room.
    ///
    /// - Throws: what `body` throws; `CancellationError` where the task was cancelled before there was room.
    func run<T: Sendable>(_ body: @Sendable () async throws -> T) async throws -> T {
        try await self.enter()
        defer { self.leave() }
        return try await body()
    }

    private func enter() async throws {
        guard self.running == Self.width else {
            self.running += 1
            return
        }
        self.lastNumber += 1
        let number = self.lastNumber
        let mayRun = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled {
                    continuation.resume(returning: false)
                } else {
                    self.waiting.append((number, continuation))
                }
            }
        } onCancel: {
            Task { await self.giveUp(number) }
        }
        guard mayRun else { throw CancellationError() }
    }

    private func giveUp(_ number: Int) {
        guard let index = self.waiting.firstIndex(where: { $0.number == number }) else { return }
        self.waiting.remove(at: index).continuation.resume(returning: false)
    }

    /// Hands the place on to the one who has waited longest.
    private func leave() {
        guard !self.waiting.isEmpty else {
            self.running -= 1
            return
        }
        self.waiting.removeFirst().continuation.resume(returning: true)
    }
}
