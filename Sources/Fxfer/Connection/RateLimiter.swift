import NIOCore
import Synchronization

/// Keeps payload to a rate, over all connections that share it: whoever has bytes asks how long to wait first.
///
/// There is no saved-up credit: after a rest the rate is what it was, and bytes are let through in portions of at most
/// a tenth of a second (``portion``), so that no second sees much more than the rate.
public final class RateLimiter: Sendable {
    /// Bytes a second.
    public let rate: UInt64
    /// When the bytes that were let through so far are paid off.
    private let busyUntil = Mutex<NIODeadline>(.distantPast)

    /// - Parameter rate: bytes a second, at least 1.
    public init(rate: UInt64) {
        precondition(rate > 0, "a rate of 0 would wait forever")
        self.rate = rate
    }

    /// How many bytes to ask for at once: what a tenth of a second takes, but no fewer than 1 KiB.
    var portion: Int { Int(min(max(self.rate / 10, 1024), 1 << 30)) }

    /// How long to wait before `bytes` may pass; nil for no time. They count as passed then.
    package func pause(before bytes: Int, now: NIODeadline = .now()) -> Duration? {
        let cost = TimeAmount.nanoseconds(Int64(min(Double(bytes) / Double(self.rate) * 1e9, 1e18)))
        return self.busyUntil.withLock { busyUntil in
            let start = max(busyUntil, now)
            busyUntil = start + cost
            return start > now ? .nanoseconds((start - now).nanoseconds) : nil
        }
    }
}
