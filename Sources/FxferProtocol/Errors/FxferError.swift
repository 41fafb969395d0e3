/// The one error type of the project: a stable code, one line for a person, and what caused it.
public struct FxferError: Error, Sendable {
    /// What kind of failure this is; stable, so that callers and scripts may decide by it.
    public let code: Code
    /// One line: what failed, on what, and what to do. Names from outside are escaped in it.
    public let message: String
    /// The error below this one, where there is one.
    public let cause: (any Error)?

    /// Makes an error; `message` is one line without a full stop.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension FxferError {
    /// The kinds of failure. Raw values are the names that JSON output uses.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The command or its arguments make no sense.
        case usage
        /// Data was damaged on the way and could not be repaired, or digests differ.
        case damaged
        /// The source was changed while it was read.
        case sourceChanged = "source-changed"
        /// The source does not exist, cannot be read or is no regular file.
        case noInput = "no-input"
        /// No connection could be made.
        case cannotConnect = "cannot-connect"
        /// The name is taken by something else.
        case exists
        /// What was asked for as a file is a folder.
        case isFolder = "is-folder"
        /// The receiver refuses the name.
        case nameRefused = "name-refused"
        /// The receiver cannot create the file or its folder.
        case cannotCreate = "cannot-create"
        /// The file is larger than the receiver takes.
        case tooLarge = "too-large"
        /// The receiver's disk is full.
        case noSpace = "no-space"
        /// A file call failed.
        case io
        /// The connection was lost or ended before the work was done.
        case connectionLost = "connection-lost"
        /// The peer said nothing for too long.
        case timedOut = "timed-out"
        /// The receiver is shutting down.
        case shuttingDown = "shutting-down"
        /// The receiver has too much to do.
        case busy
        /// The transfer was stopped by its user.
        case cancelled
        /// The peer broke the protocol.
        case protocolViolation = "protocol-violation"
        /// The two sides have no protocol version in common.
        case unsupportedVersion = "unsupported-version"
        /// The peer announced more than a limit allows.
        case limitExceeded = "limit-exceeded"
        /// The peer is not allowed to do this.
        case notPermitted = "not-permitted"
        /// A fault in fxfer itself.
        case `internal`
    }
}

extension FxferError: CustomStringConvertible {
    /// The same text as `message`.
    public var description: String { self.message }
}

extension FxferError {
    /// `error` itself where it is of this type already; anything else as an internal error or a cancellation.
    package init(wrapping error: any Error) {
        switch error {
        case let error as FxferError: self = error
        case is CancellationError: self.init(.cancelled, "the work was cancelled", cause: error)
        default: self.init(.internal, EscapedText.escape("\(error)"), cause: error)
        }
    }
}
