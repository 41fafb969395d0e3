import Glibc
import UnixSignals

/// Work that SIGTERM, SIGINT and SIGHUP end in order: its task is cancelled, so that it cleans up.
enum Interruptible<Value: Sendable>: Sendable {
    case finished(Value)
    case interrupted(UnixSignal)

    /// Runs `body` to its end or to the first signal. One that the process was started to ignore, as by nohup(1), stays
    /// ignored.
    ///
    /// - Throws: what `body` throws, unless it was interrupted.
    static func run(_ body: @escaping @Sendable () async throws -> Value) async throws -> Interruptible {
        let trapped = [(UnixSignal.sigterm, SIGTERM), (.sigint, SIGINT), (.sighup, SIGHUP)].filter { !isIgnored($0.1) }
        let signals = await UnixSignalsSequence(trapping: trapped.map(\.0))
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

    private static func isIgnored(_ signal: CInt) -> Bool {
        var action = sigaction()
        guard sigaction(signal, nil, &action) == 0 else { return false }
        // Functions cannot be compared in Swift, and SIG_IGN is none but a number in the place of one. Both are pointers.
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
