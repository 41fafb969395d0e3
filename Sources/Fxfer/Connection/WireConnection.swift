/// What both halves of a connection, the sending and the receiving one, have in common.
protocol WireConnection: Actor {
    var wire: WireChannel { get }
    /// How many operations of this side the peer has to wait for.
    var work: Int { get set }
    /// Limits how fast payload goes out and comes in; nil for no limit.
    var limiter: RateLimiter? { get }
}

extension WireConnection {
    /// Runs work during which the peer has to wait for this side.
    func working<Result: Sendable>(_ body: () async throws -> Result) async rethrows -> Result {
        self.work += 1
        defer { self.work -= 1 }
        return try await body()
    }
}
