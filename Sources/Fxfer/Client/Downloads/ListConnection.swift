import FxferNetwork
import FxferProtocol
import NIOCore

/// One connection to a server over which one folder is listed.
actor ListConnection: ClientConnection {
    let wire: WireChannel
    let limiter: RateLimiter? = nil
    var client: ClientState
    var work = 0
    private let folder: RelativePath?
    private let entry: @Sendable (ListedEntry) -> Void
    private var check = ListingCheck(1)
    /// How the listing ended.
    private var result: Result<Void, FxferError>?
    private var waiter: CheckedContinuation<Void, Never>?

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        self.wire.executor.asUnownedSerialExecutor()
    }

    /// - Parameter folder: nil for the server's top.
    init(
        _ wire: WireChannel,
        _ client: ClientState,
        _ folder: RelativePath?,
        entry: @escaping @Sendable (ListedEntry) -> Void
    ) {
        self.wire = wire
        self.client = client
        self.folder = folder
        self.entry = entry
    }

    /// Lists the folder.
    ///
    /// - Returns: why that was not possible, where it was not.
    func run() async -> FxferError? {
        let failure = await self.converse { await self.waitForResult() }
        switch self.result {
        case .success: return nil
        case .failure(let error): return error
        case nil: return failure ?? FxferError(.connectionLost, "the connection to \(self.client.endpoint) ended")
        }
    }

    private func waitForResult() async {
        guard self.result == nil, self.client.failure == nil else { return }
        await withCheckedContinuation { self.waiter = $0 }
    }

    private func wake() {
        self.waiter?.resume()
        self.waiter = nil
    }

    func begin(_ welcome: Welcome) throws {
        guard Capabilities(rawValue: welcome.capabilities).contains(.share) else { throw FxferError.notShared }
        self.wire.write(.list(List(listing: 1, path: self.folder?.bytes ?? [])))
    }

    func receive(_ event: WireEvent) throws {
        switch event {
        case .frame(.entry(let entry)) where self.result == nil:
            try self.check.receive(entry)
            self.entry(ListedEntry(entry))
        case .frame(.listed(let listed)) where self.result == nil:
            try self.check.receive(listed)
            self.result = listed.error.map { .failure($0) } ?? .success(())
            self.wake()
        default:
            throw FxferError(.protocolViolation, "the server sent something that was not asked for")
        }
    }

    func flush() {
        self.wire.flush()
    }

    func connectionFailed(_ error: FxferError) {
        self.wake()
    }
}
