import FxferNetwork
import FxferProtocol
import FxferStorage
import NIOCore
import NIOPosix

/// Sends files to a server and gets files from it. A receipt means that the receiver's bytes have the source's SHA-256,
/// are durable on its disk, and appeared under their name in one step.
public struct FileClient: Sendable {
    let endpoint: Endpoint
    let security: ClientSecurity
    let timeout: Duration

    /// - Parameters:
    ///   - endpoint: the server.
    ///   - security: how the server is known, and what is proven to it.
    ///   - timeout: how long a connection may take, and how long the server may be silent while it is its turn.
    public init(_ endpoint: Endpoint, security: ClientSecurity = ClientSecurity(), timeout: Duration = .seconds(60)) {
        self.endpoint = endpoint
        self.security = security
        self.timeout = timeout
    }

    /// What a new connection begins with.
    var newState: ClientState { self.newState(UploadOptions()) }

    /// The same for uploads.
    private func newState(_ options: UploadOptions) -> ClientState {
        ClientState(self.endpoint, self.security, options, timeout: self.timeout)
    }

    /// Sends files and folders over one connection, in their order, and reports what happens to each. Where the
    /// connection breaks, what is left is tried again on another.
    ///
    /// A file that fails does not stop the others; each ends with exactly one event. Where all is given up, each file
    /// that was begun and each upload that has not come to its end is reported as abandoned.
    ///
    /// - Parameter report: called for one event at a time; the connection waits for it.
    /// - Throws: `cannotConnect`, naming every address that was tried, where there never was a connection; `usage` for
    ///   options that make no sense. Nothing was reported then.
    public func send(
        _ uploads: [Upload],
        _ options: UploadOptions = UploadOptions(),
        report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws(FxferError) {
        let queue = try UploadQueue(uploads, options)
        let furthest = FurthestProgress()
        let failure = try await self.retrying(options.retry, report) { (wire) async in
            let state = self.newState(options)
            let connection = UploadConnection(wire, state, options, furthest, report: report)
            let failure = await connection.run(queue)
            let isDone = await queue.isEmpty
            return (isDone ? nil : failure ?? Self.ended(self.endpoint), await connection.hasProgress)
        }
        guard let failure else { return }
        for file in await queue.abandon() {
            report(.abandoned(file, failure))
        }
    }

    /// Connects and does some work over the connection, again and again until nothing is left of it, or the policy says
    /// that it is enough.
    ///
    /// - Parameter body: answers why something is left, nil where nothing is, and whether there was any progress.
    /// - Returns: why something is left; nil where nothing is.
    /// - Throws: what the first attempt to connect throws.
    func retrying(
        _ policy: RetryPolicy,
        receivingWith limiter: RateLimiter? = nil,
        _ report: (TransferEvent) -> Void,
        _ body: (WireChannel) async -> (FxferError?, hasProgress: Bool)
    ) async throws(FxferError) -> FxferError? {
        let clock = ContinuousClock()
        var lastProgress = clock.now
        var attempt = 0
        var wire: WireChannel? = try await self.connect(limiter)
        while true {
            var failure: FxferError?
            do throws(FxferError) {
                let connection: WireChannel
                if let first = wire { connection = first } else { connection = try await self.connect(limiter) }
                wire = nil
                let outcome = await body(connection)
                guard let error = outcome.0 else { return nil }
                failure = error
                if outcome.hasProgress {
                    attempt = 0
                    lastProgress = clock.now
                }
            } catch {
                failure = error
            }
            attempt += 1
            guard let failure, failure.isTemporary, !Task.isCancelled,
                let pause = policy.pause(before: attempt, elapsed: clock.now - lastProgress)
            else { return failure }
            report(.retrying(after: failure, pause: pause, attempt: attempt, of: policy.retries))
            guard (try? await Task.sleep(for: pause)) != nil else { return failure }
        }
    }

    /// - Parameter limiter: limits what is taken in.
    func connect(_ limiter: RateLimiter? = nil) async throws(FxferError) -> WireChannel {
        let maxRead = limiter?.portion ?? WireChannel.maxReadSize
        let tls = try await TLSContext.client(self.security.trust)
        return try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: WireChannel.readAllocator(maximum: maxRead))
            .connect(to: self.endpoint, timeout: self.timeout) { channel in
                if SameMachine.isLoopback(self.endpoint) { SameMachine.sendUnpaced(on: channel) }
                let transport = ClientTransport(tls, self.security, to: self.endpoint)
                try channel.pipeline.syncOperations.addHandler(transport)
                return try WireChannel(wrapping: channel)
            }
    }

    private static func ended(_ endpoint: Endpoint) -> FxferError {
        FxferError(.connectionLost, "the connection to \(endpoint) ended")
    }
}
