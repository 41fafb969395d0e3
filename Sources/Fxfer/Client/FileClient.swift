import FxferNetwork
import FxferProtocol
import FxferStorage
import NIOCore
import NIOPosix

/// Sends files to a server. A receipt means that the server's bytes have the source's SHA-256, are durable on its
/// disk, and appeared under their name in one step.
public struct FileClient: Sendable {
    private let endpoint: Endpoint
    private let timeout: Duration

    /// - Parameters:
    ///   - endpoint: the server.
    ///   - timeout: how long a connection may take, and how long the server may be silent while it is its turn.
    public init(_ endpoint: Endpoint, timeout: Duration = .seconds(60)) {
        self.endpoint = endpoint
        self.timeout = timeout
    }

    /// Sends files over one connection, in their order, and reports what happens to each.
    ///
    /// A file that fails does not stop the others; each upload ends with exactly one `.ended`. Where the connection
    /// breaks, every upload that is open or still to come ends with that error.
    ///
    /// - Parameter report: called for one event at a time; the connection waits for it.
    /// - Throws: `cannotConnect`, naming every address that was tried; nothing was reported then.
    public func send(
        _ uploads: [Upload],
        report: @escaping @Sendable (UploadEvent) -> Void
    ) async throws(FxferError) {
        let connection = UploadConnection(
            wire: try await self.connect(),
            endpoint: self.endpoint,
            timeout: self.timeout,
            report: report
        )
        let (begun, failure) = await connection.run(uploads)
        for upload in uploads.dropFirst(begun) {
            let lost = FxferError(.connectionLost, "the connection to \(self.endpoint) ended")
            report(.ended(upload, .failure(failure ?? lost)))
        }
    }

    private func connect() async throws(FxferError) -> WireChannel {
        try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.maxMessagesPerRead, value: 1)
            .connect(to: self.endpoint, timeout: self.timeout) { channel in try WireChannel(wrapping: channel) }
    }
}
