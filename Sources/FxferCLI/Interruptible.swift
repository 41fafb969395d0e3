import UnixSignals

/// Work that SIGTERM and SIGINT end in order: its task is cancelled, so that it cleans up.
enum Interruptible {
    /// Runs `body`; answers the signal that interrupted it, if any.
    ///
    /// - Throws: what `body` throws, unless it was interrupted.
    static func run(_ body: @escaping @Sendable () async throws -> Void) async throws -> UnixSignal? {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        return try await withThrowingTaskGroup(of: UnixSignal?.self) { group in
            group.addTask {
                try await body()
                return nil
            }
            group.addTask {
                await signals.first { _ in true }
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            if first != nil {
                // What the body says about its cancellation is not news.
                while (await group.nextResult()) != nil {}
            }
            return first
        }
    }
}
