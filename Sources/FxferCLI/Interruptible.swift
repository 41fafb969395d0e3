import UnixSignals

/// Work that SIGTERM, SIGINT and SIGHUP end in order: its task is cancelled, so that it cleans up.
enum Interruptible<Value: Sendable>: Sendable {
    case finished(Value)
    case interrupted(UnixSignal)

    /// Runs `body` to its end or to the first signal.
    ///
    /// - Throws: what `body` throws, unless it was interrupted.
    static func run(_ body: @escaping @Sendable () async throws -> Value) async throws -> Interruptible {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        return try await withThrowingTaskGroup(of: Interruptible?.self) { group in
            group.addTask {
                .finished(try await body())
            }
            group.addTask {
                await signals.first { _ in true }.map { .interrupted($0) }
            }
            defer { group.cancelAll() }
            while let first = try await group.next() {
                guard let first else { continue }
                group.cancelAll()
                if case .interrupted = first {
                    // What the body says about its cancellation is not news.
                    while await group.nextResult() != nil {}
                }
                return first
            }
            throw CancellationError()
        }
    }
}
