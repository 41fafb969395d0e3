import FxferProtocol
import Synchronization

/// How many bytes of files on their way may be in memory at once, all uploads of a process together.
///
/// Each part of an upload is in memory as a whole until the store has it: its digest has to be told before its bytes, and
/// it may have to be sent again. Who has none yet comes before those who want a further one, so that one upload with many
/// parts in flight keeps nobody else waiting.
final class PartMemory: Sendable {
    /// A part of it, given back when the last reference to it is gone.
    final class Share: Sendable {
        private let memory: PartMemory
        let bytes: Int

        fileprivate init(_ memory: PartMemory, _ bytes: Int) {
            self.memory = memory
            self.bytes = bytes
        }

        deinit {
            self.memory.giveBack(self.bytes)
        }
    }

    private struct Waiter {
        let number: UInt64
        let bytes: Int
        let continuation: CheckedContinuation<Share?, Never>
    }

    private struct State {
        var free: Int
        var first: [Waiter] = []
        var further: [Waiter] = []
        var lastNumber: UInt64 = 0
    }

    /// How many there are in all.
    let capacity: Int
    private let patience: Duration
    private let state: Mutex<State>

    /// - Parameters:
    ///   - capacity: in bytes.
    ///   - patience: how long somebody waits. Many senders that are slow together could have all there is.
    init(capacity: Int, patience: Duration = .seconds(45)) {
        self.capacity = capacity
        self.patience = patience
        self.state = Mutex(State(free: capacity))
    }

    /// Takes so many bytes, at once; nil where they are not free.
    func takeAtOnce(_ bytes: Int) -> Share? {
        self.state.withLock { state in
            guard state.first.isEmpty, state.free >= bytes else { return nil }
            state.free -= bytes
            return Share(self, bytes)
        }
    }

    /// Takes so many bytes, when they are free; all there is where that is less.
    ///
    /// - Parameter isFurther: whether the upload has some already.
    /// - Throws: `.busy` where they are not free in time; `CancellationError`.
    func take(_ bytes: Int, isFurther: Bool) async throws -> Share {
        let bytes = min(bytes, self.capacity)
        let number = self.state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        let timer = Task {
            try await Task.sleep(for: self.patience)
            self.giveUp(number)
        }
        defer { timer.cancel() }
        let share = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                self.enter(Waiter(number: number, bytes: bytes, continuation: continuation), isFurther)
                // One that was cancelled before it waited.
                if Task.isCancelled { self.giveUp(number) }
            }
        } onCancel: {
            self.giveUp(number)
        }
        if let share { return share }
        try Task.checkCancellation()
        throw FxferError(.busy, "the server receives too many files at once; try again later")
    }

    private func enter(_ waiter: Waiter, _ isFurther: Bool) {
        self.state.withLock { if isFurther { $0.further.append(waiter) } else { $0.first.append(waiter) } }
        self.serve()
    }

    private func giveBack(_ bytes: Int) {
        self.state.withLock { $0.free += bytes }
        self.serve()
    }

    private func serve() {
        while let (waiter, share) = self.next() { waiter.continuation.resume(returning: share) }
    }

    private func next() -> (Waiter, Share)? {
        self.state.withLock { state in
            let waiter = state.first.first ?? state.further.first
            guard let waiter, waiter.bytes <= state.free else { return nil }
            if state.first.isEmpty { state.further.removeFirst() } else { state.first.removeFirst() }
            state.free -= waiter.bytes
            return (waiter, Share(self, waiter.bytes))
        }
    }

    private func giveUp(_ number: UInt64) {
        let waiter = self.state.withLock { state in
            let waiter = (state.first + state.further).first { $0.number == number }
            state.first.removeAll { $0.number == number }
            state.further.removeAll { $0.number == number }
            return waiter
        }
        waiter?.continuation.resume(returning: nil)
        self.serve()
    }
}
