import NIOCore

/// What its failed proofs cost an address: a pause before each further attempt, the longer the more there were. It has
/// no clock: time comes in as a parameter.
///
/// Attempts take one slot after the other. So who closes the connection and comes again, or comes many times at once,
/// gets no more of them in a minute than one who waits.
struct ProofPenalty {
    /// How long failures count after the last of them.
    static let memory: TimeAmount = .seconds(60)
    private static let firstPause: TimeAmount = .milliseconds(100)
    private static let longestPause: TimeAmount = .seconds(2)

    private(set) var failures = 0
    private(set) var lastFailure: NIODeadline
    /// When the last slot was given that is not over.
    private var lastSlot: NIODeadline = .distantPast

    /// No failures as yet.
    init(now: NIODeadline) {
        self.lastFailure = now
    }

    /// Whether nothing of it counts any more.
    func isForgotten(now: NIODeadline) -> Bool {
        now - self.lastFailure >= Self.memory
    }

    mutating func failed(now: NIODeadline) {
        self.failures += 1
        self.lastFailure = max(self.lastFailure, now)
    }

    /// How long an attempt has to wait from now on, its slot taken with that; nil, and none is taken, where that would
    /// be after `deadline`.
    mutating func takeSlot(now: NIODeadline, deadline: NIODeadline) -> TimeAmount? {
        guard self.failures > 0 else { return .zero }
        let slot = max(self.lastSlot, now) + self.pause
        guard slot <= deadline else { return nil }
        self.lastSlot = slot
        return slot - now
    }

    /// 0.1 s, doubled with each failure, but at most 2 s.
    private var pause: TimeAmount {
        let doublings = min(max(self.failures - 1, 0), 10)
        return min(.nanoseconds(Self.firstPause.nanoseconds << doublings), Self.longestPause)
    }
}
