import FxferProtocol

/// How often and how long a transfer that broke is tried again. Both bounds count from the last progress.
public struct RetryPolicy: Hashable, Sendable {
    /// The most tries after the first.
    public var retries: Int
    /// How long to go on trying.
    public var time: Duration

    /// Describes a policy.
    public init(retries: Int = 5, time: Duration = .seconds(120)) {
        self.retries = retries
        self.time = time
    }

    /// The longest pause between two tries.
    private static let longestPause = 30

    /// How long to wait before the try of that number, from 1 on: 1, 2, 4 … 30 seconds. Nil where there is to be none.
    ///
    /// - Parameter elapsed: the time since the last progress.
    func pause(before attempt: Int, elapsed: Duration) -> Duration? {
        guard attempt <= self.retries else { return nil }
        let pause = Duration.seconds(min(1 << min(attempt - 1, 5), Self.longestPause))
        return elapsed + pause <= self.time ? pause : nil
    }
}

extension FxferError {
    /// Whether trying again may help, without anything being changed by a person.
    var isTemporary: Bool {
        switch self.code {
        case .connectionLost, .timedOut, .shuttingDown, .busy, .cannotConnect: true
        default: false
        }
    }
}
