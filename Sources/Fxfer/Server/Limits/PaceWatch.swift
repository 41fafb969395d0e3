import NIOCore

/// Decides whether a peer moves bytes that are due fast enough. It has no clock: time comes in as a parameter.
///
/// Bytes are due from the moment when something was begun (a frame, a chunk, a write) until it is whole. Only the time
/// counts in which this side waited for the peer: so a slow disk or a rate limit on this side is nobody's fault.
struct PaceWatch {
    /// How long a peer may take before its pace is judged: enough for lost packets to be sent again.
    static let longestGrace: TimeAmount = .seconds(10)

    private let minRate: UInt64
    private let grace: TimeAmount
    /// How much of what is due has moved, and how long that was waited for.
    private var bytes: UInt64 = 0
    private var held: UInt64 = 0
    private var waited: TimeAmount = .zero
    private var waitsSince: NIODeadline?

    /// - Parameters:
    ///   - minRate: bytes a second; 0 for no limit.
    ///   - idleTimeout: how long a peer may be silent, which bounds the grace, too.
    init(minRate: UInt64, idleTimeout: TimeAmount) {
        self.minRate = minRate
        self.grace = min(Self.longestGrace, idleTimeout)
    }

    /// This side waits for the peer from now on, with so many bytes of a beginning at hand, besides those that moved.
    mutating func waits(holding bytes: Int, now: NIODeadline) {
        self.held = UInt64(clamping: bytes)
        if self.waitsSince == nil { self.waitsSince = now }
    }

    /// This side has something to do now.
    mutating func waitIsOver(now: NIODeadline) {
        if let since = self.waitsSince { self.waited = self.waited + (now - since) }
        self.waitsSince = nil
    }

    /// So many bytes moved.
    mutating func moved(_ count: Int) {
        let (sum, overflow) = self.bytes.addingReportingOverflow(UInt64(clamping: count))
        self.bytes = overflow ? .max : sum
    }

    /// What was due is whole: what comes next begins anew.
    mutating func isWhole() {
        self.bytes = 0
        self.held = 0
        self.waited = .zero
        self.waitsSince = nil
    }

    /// Whether the peer has been slower than allowed, on average since the beginning.
    func isTooSlow(now: NIODeadline) -> Bool {
        let current = self.waitsSince.map { now - $0 } ?? .zero
        let waited = self.waited + current
        guard self.minRate > 0, waited > self.grace else { return false }
        return Double(self.bytes) + Double(self.held) < Double(self.minRate) * Double(waited.nanoseconds) / 1e9
    }
}
