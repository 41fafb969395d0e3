import CoreMetrics
import FxferProtocol
import Synchronization

/// How many bytes of files on their way, in or out, may be in memory at once, all transfers of a process together.
///
/// Each part of an upload is in memory as a whole until the store has it: its digest has to be told before its bytes, and
/// it may have to be sent again. Who has none yet comes before those who want a further one, so that one upload with many
/// parts in flight keeps nobody else waiting. And who does not fill (or, of what is read ahead, take) what he has within a
/// time gives it back where others wait for it: peers that are slow together could have all there is.
final class TransferMemory: Sendable {
    /// A part of it, given back when the last reference to it is gone.
    final class Share: Sendable {
        private let memory: TransferMemory
        private let number: UInt64
        let bytes: Int

        fileprivate init(_ memory: TransferMemory, _ number: UInt64, _ bytes: Int) {
            self.memory = memory
            self.number = number
            self.bytes = bytes
            memory.meter?.increment(by: Double(bytes))
        }

        deinit {
            self.memory.meter?.decrement(by: Double(self.bytes))
            self.memory.giveBack(self.bytes, self.number)
        }

        /// What comes fills it from now on. Where that takes long and others wait, `revoke` is called, once, on no particular
        /// thread, and is to let go of it.
        func beginFilling(_ revoke: @escaping @Sendable () -> Void) {
            self.memory.state.withLock { $0.filling[self.number] = Filling(begun: .now, revoke: revoke) }
        }

        /// It is as full as it gets: it is given back when the store has what is in it.
        func endFilling() {
            self.memory.state.withLock { _ = $0.filling.removeValue(forKey: self.number) }
        }
    }

    fileprivate struct Filling {
        let begun: ContinuousClock.Instant
        let revoke: @Sendable () -> Void
    }

    fileprivate struct Waiter {
        let number: UInt64
        let bytes: Int
        let continuation: CheckedContinuation<Share?, Never>
    }

    fileprivate struct State {
        var free: Int
        var first: [Waiter] = []
        var further: [Waiter] = []
        var filling: [UInt64: Filling] = [:]
        var lastNumber: UInt64 = 0
    }

    /// How many there are in all.
    let capacity: Int
    private let patience: Duration
    private let timeToFill: Duration
    private let refusal: String
    fileprivate let meter: Meter?
    fileprivate let state: Mutex<State>

    /// - Parameters:
    ///   - capacity: in bytes.
    ///   - patience: how long somebody waits.
    ///   - timeToFill: how long somebody may take to fill a share that others wait for.
    ///   - meter: of what is taken, in bytes.
    ///   - refusal: what somebody is told who has waited in vain.
    init(
        capacity: Int,
        patience: Duration = .seconds(45),
        timeToFill: Duration = .seconds(20),
        meter: Meter? = nil,
        refusal: String = "the server receives too many files at once; try again later"
    ) {
        self.refusal = refusal
        self.timeToFill = timeToFill
        self.meter = meter
        self.capacity = capacity
        self.patience = patience
        self.state = Mutex(State(free: capacity))
    }

    /// How many wait for some.
    var waiting: Int { self.state.withLock { $0.first.count + $0.further.count } }

    /// Takes so many bytes, at once; nil where they are not free.
    func takeAtOnce(_ bytes: Int) -> Share? {
        self.state.withLock { state in
            guard state.first.isEmpty, state.free >= bytes else { return nil }
            state.free -= bytes
            state.lastNumber += 1
            return Share(self, state.lastNumber, bytes)
        }
    }

    /// Takes so many bytes, at once, if need be those of whoever has been filling his share for too long; nil where they
    /// are not free.
    func takeFromSlowest(_ bytes: Int) -> Share? {
        if let share = self.takeAtOnce(bytes) { return share }
        self.revokeSlowest()
        return self.takeAtOnce(bytes)
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
            let end = ContinuousClock.now + self.patience
            while .now < end {
                try await Task.sleep(for: self.patience / 16)
                self.revokeSlowest()
            }
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
        throw FxferError(.busy, self.refusal)
    }

    private func enter(_ waiter: Waiter, _ isFurther: Bool) {
        self.state.withLock { if isFurther { $0.further.append(waiter) } else { $0.first.append(waiter) } }
        self.serve()
    }

    private func giveBack(_ bytes: Int, _ number: UInt64) {
        self.state.withLock { state in
            state.free += bytes
            state.filling[number] = nil
        }
        self.serve()
    }

    /// Has the one who has been filling his share for the longest give it back, where that is too long.
    private func revokeSlowest() {
        let slowest = self.state.withLock { state in
            let slowest = state.filling.min { $0.value.begun < $1.value.begun }
            guard let slowest, .now - slowest.value.begun > self.timeToFill else { return nil as Filling? }
            return state.filling.removeValue(forKey: slowest.key)
        }
        slowest?.revoke()
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
            return (waiter, Share(self, waiter.number, waiter.bytes))
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
