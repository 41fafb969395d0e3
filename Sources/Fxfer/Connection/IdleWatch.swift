import NIOCore

/// Decides when a silent peer is given up and when this side has to show that it is alive. It has no clock: time comes
/// in as a parameter.
struct IdleWatch {
    /// How long a side works in silence before it says that it is alive.
    static let aliveInterval: TimeAmount = .seconds(10)

    enum Verdict {
        case fine
        /// This side has been working for a while without a word: send ALIVE.
        case sayAlive
        /// The peer had its turn and said nothing for too long.
        case expired
    }

    private let timeout: TimeAmount
    private var lastHeard: NIODeadline
    private var lastAlive: NIODeadline

    /// - Parameter timeout: how long the peer may be silent while it is its turn.
    init(timeout: TimeAmount, now: NIODeadline) {
        self.timeout = timeout
        self.lastHeard = now
        self.lastAlive = now
    }

    /// How often ``check(now:isWorking:)`` wants to be asked.
    var interval: Duration {
        .nanoseconds(max(min(self.timeout.nanoseconds / 8, 1_000_000_000), 10_000_000))
    }

    /// The peer said something, or its turn begins now.
    mutating func heard(now: NIODeadline) {
        self.lastHeard = now
    }

    /// - Parameter isWorking: whether the peer waits for this side (a disk, a hash), so that its silence is right.
    mutating func check(now: NIODeadline, isWorking: Bool) -> Verdict {
        guard isWorking else {
            self.lastAlive = now
            return now - self.lastHeard > self.timeout ? .expired : .fine
        }
        self.lastHeard = now
        guard now - self.lastAlive > Self.aliveInterval else { return .fine }
        self.lastAlive = now
        return .sayAlive
    }
}
