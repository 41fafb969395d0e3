import FxferNetwork
import FxferProtocol
import FxferStorage
import NIOCore

extension FileClient {
    /// How many files are asked for at once.
    private static let filesInFlight = 64

    /// Gets files and folders from a server that shares them, and reports what happens to each. Where the connection
    /// breaks, what is left is tried again on another, and a larger file goes on from its last verified chunk.
    ///
    /// Nothing is written but what was asked for, under the names that were given.
    ///
    /// - Throws: `cannotConnect` where there never was a connection; where the target folder cannot be used,
    ///   `cannotCreate`, `noSpace` or `io`. Nothing was reported then.
    public func get(
        _ downloads: [Download],
        into target: DownloadTarget,
        _ options: DownloadOptions = DownloadOptions(),
        report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws(FxferError) {
        switch target {
        case .folder(let path):
            var storing = DirectoryStore.Options()
            storing.layout = .beside
            storing.conflict = options.conflict.policy
            let store = try await Self.open(path, storing)
            let limits = DownloadLimits(filesInFlight: Self.filesInFlight, takesFolders: true)
            try await self.get(downloads, into: store, limits, options, report)
        case .repairs(let path):
            let store = RepairStore(try await Self.open(path, DirectoryStore.Options()))
            let limits = DownloadLimits(filesInFlight: Self.filesInFlight, takesFolders: false)
            try await self.get(downloads, into: store, limits, options, report)
        case .standardOutput:
            // One after the other, as their bytes follow each other there.
            let limits = DownloadLimits(filesInFlight: 1, takesFolders: false)
            try await self.get(downloads, into: PipeStore.standardOutput(), limits, options, report)
        }
    }

    private static func open(
        _ path: [UInt8],
        _ options: DirectoryStore.Options
    ) async throws(FxferError) -> DirectoryStore {
        do {
            return try await DirectoryStore.open(path: path, options: options)
        } catch {
            throw FxferError(wrapping: error)
        }
    }

    private func get(
        _ downloads: [Download],
        into store: some Store,
        _ limits: DownloadLimits,
        _ options: DownloadOptions,
        _ report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws(FxferError) {
        var queue = DownloadQueue(downloads)
        let furthest = FurthestProgress()
        let failure = try await self.retrying(options.retry, receivingWith: options.limiter, report) { wire in
            let connection = DownloadConnection(
                wire,
                self.newState,
                store,
                queue,
                options,
                limits,
                furthest,
                report: report
            )
            let failure = await connection.run()
            queue = await connection.queue
            return (failure, await connection.hasProgress)
        }
        guard let failure else { return }
        for file in queue.abandon() {
            report(.abandoned(file, failure))
        }
    }

    /// Lists a folder of a server that shares its files; nil for its top. Entries come in the order of their names'
    /// bytes.
    ///
    /// - Throws: `cannotConnect`; `noInput` where there is no such folder; `notPermitted` where the server does not
    ///   share; what ended the connection.
    public func list(_ folder: RelativePath?, entry: @escaping @Sendable (ListedEntry) -> Void) async throws(FxferError)
    {
        let wire = try await self.connect()
        let connection = ListConnection(wire, self.newState, folder, entry: entry)
        if let failure = await connection.run() { throw failure }
    }
}
