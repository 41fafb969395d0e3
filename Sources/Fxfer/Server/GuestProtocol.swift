import NIOCore

/// A protocol beside fxfer's own that a server speaks on the same port, told by the first bytes of a client.
///
/// The server's rules hold for its clients, too: who may connect, and the grace of a shutdown.
public struct GuestProtocol: Sendable {
    /// What each of its clients says first; not a prefix of fxfer's preamble.
    public let opening: [UInt8]
    /// Serves a client whose opening has been read. What the client says after it is thrown away. When this returns,
    /// the server ends the stream and closes the connection.
    public let serve: @Sendable (any Channel) async throws -> Void

    /// Describes a guest.
    public init(opening: [UInt8], serve: @escaping @Sendable (any Channel) async throws -> Void) {
        self.opening = opening
        self.serve = serve
    }
}
