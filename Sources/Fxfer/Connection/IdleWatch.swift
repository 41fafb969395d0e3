import NIOCore

/// Decides when a silent peer is given up and when this side has to show that it is alive. It has no clock: time comes
/// in as a parameter.
struct IdleWatch {
    /// How long a side works, or takes in payload, in silence before it says that it is alive: well below any time-out
    /// that a user would choose.
    static let aliveInterval: TimeAmount = .seconds(1)

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

    /// Payload came in: answers whether to say ALIVE, so that a peer on a slow line knows that its bytes arrive.
    mutating func tookPayload(now: NIODeadline) -> Bool {
        guard now - self.lastAlive > Self.aliveInterval else { return false }
        self.lastAlive = now
        return true
    }

    /// - Parameter isWorking: whether the peer waits for this side (a disk, a hash), so that its silence is right.
    mutating func check(now: NIODeadline, isWorking: Bool) -> Verdict {
        guard isWorking else {
            return now - self.lastHeard > self.timeout ? .expired : .fine
        }
        self.lastHeard = now
        guard now - self.lastAlive > Self.aliveInterval else { return .fine }
        self.lastAlive = now
        return .sayAlive
    }
}
