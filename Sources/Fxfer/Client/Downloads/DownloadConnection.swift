import FxferNetwork
import FxferProtocol
import FxferStorage
import NIOCore

/// What the place where downloads go can take.
struct DownloadLimits: Sendable {
    /// How many files are asked for at once, whatever the server allows.
    var filesInFlight: Int
    /// Whether there can be folders.
    let takesFolders: Bool
}

/// One connection to a server over which files are got.
///
/// It asks for one name after the other without waiting for the last, as many at once as the server allows, and takes
/// nothing that it did not ask for. Files are staged, verified, made durable and published like those of a server.
actor DownloadConnection<Directory: Store>: ClientConnection, FileReceiving {
    let wire: WireChannel
    let store: Directory
    let limiter: RateLimiter?
    var client: ClientState
    var receiving: ReceivingState<Directory.Staged>
    /// Only of repairs there are records.
    let origin: Origin
    var work = 0
    /// Whether anything was verified.
    var hasProgress = false
    /// What is left when the connection is over.
    var queue: DownloadQueue
    let furthest: FurthestProgress
    let report: @Sendable (TransferEvent) -> Void
    var requests = FileRequests()
    /// Files that were asked for and are not over.
    var open: [FileID: Download] = [:]
    /// Folders whose contents were asked for, the first to be finished first.
    var folders = FoldersInProgress()
    /// The listing that is coming in.
    var listing: IncomingListing?
    /// Why something is to be asked for again.
    var busy: FxferError?
    /// Files that the server or this side is too busy for, to be asked for on another connection.
    var left: [Download] = []
    /// Files of which was told that they go on from a part.
    var hasTold: Set<FileID> = []
    var limits: DownloadLimits
    private var listings: UInt32 = 0
    /// The one who waits for something to change.
    private var waiter: CheckedContinuation<Void, Never>?

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        self.wire.executor.asUnownedSerialExecutor()
    }

    init(
        _ wire: WireChannel,
        _ client: ClientState,
        _ store: Directory,
        _ queue: DownloadQueue,
        _ options: DownloadOptions,
        _ limits: DownloadLimits,
        _ furthest: FurthestProgress,
        report: @escaping @Sendable (TransferEvent) -> Void
    ) {
        self.wire = wire
        self.client = client
        self.store = store
        self.queue = queue
        self.limiter = options.limiter
        self.limits = limits
        self.furthest = furthest
        self.report = report
        self.origin = Origin(address: wire.channel.remoteAddress.map { Endpoint($0).host })
        self.receiving = ReceivingState(
            Receiver(chunkSize: Chunk.defaultSize, filesInFlight: UInt16(clamping: limits.filesInFlight))
        )
    }

    /// Gets files until the queue is empty or the connection fails; ``queue`` holds what is left then.
    ///
    /// - Returns: why there is something left, where there is.
    func run() async -> FxferError? {
        let failure = await self.converse { await self.getAll() }
        await self.discardAll(failure ?? FxferError(.connectionLost, "the connection ended"))
        for (folder, attributes) in self.folders.takeAll().reversed() {
            self.queue.putBack(.finish(folder, attributes))
        }
        if let listing { self.queue.putBack(.list(listing.folder, listing.attributes)) }
        for (_, download) in self.open.sorted(by: { $0.key > $1.key }) {
            self.queue.putBack(.get(download))
        }
        for download in self.left.reversed() {
            self.queue.putBack(.get(download))
        }
        return self.queue.isEmpty ? nil : failure ?? self.busy
    }

    private func getAll() async {
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { await self.workOnFiles() }
            while await self.waitUntil({ $0.canGoOn || $0.isDone }), let step = self.queue.next() {
                self.take(step)
                self.flush()
            }
            await self.endReceiving()
        }
    }

    /// Whether the next step can be taken.
    private var canGoOn: Bool {
        self.client.hasGreeted && self.listing == nil && self.open.count < self.limits.filesInFlight
            && !self.queue.isEmpty
    }

    /// Whether there is no further step, and nothing that could bring one.
    private var isDone: Bool {
        self.queue.isEmpty && self.open.isEmpty && self.listing == nil && self.folders.isEmpty
    }

    private func take(_ step: DownloadQueue.Step) {
        switch step {
        case .get(let download):
            let get = self.requests.get(download.source)
            self.open[get.file] = download
            self.wire.write(.get(get))
        case .list(let folder, let attributes):
            self.listings += 1
            self.listing = IncomingListing(folder: folder, attributes: attributes, check: ListingCheck(self.listings))
            self.wire.write(.list(List(listing: self.listings, path: folder.source.bytes)))
        case .refused(let file, let error):
            self.report(.ended(file, .failure(error)))
        case .finish(let folder, let attributes):
            self.folders.add(folder, attributes)
            self.finishFolders()
        }
    }

    /// Returns true when `condition` holds, false when the connection failed.
    private func waitUntil(_ condition: (isolated DownloadConnection) -> Bool) async -> Bool {
        while self.client.failure == nil {
            if condition(self) { return true }
            await withCheckedContinuation { self.waiter = $0 }
        }
        return false
    }

    /// Something changed that somebody may wait for.
    func wake() {
        self.waiter?.resume()
        self.waiter = nil
    }

    // MARK: Folders

    /// Sets folders right whose contents have all come.
    func finishFolders() {
        while let (folder, attributes) = self.folders.nextToFinish(beside: self.open.values) {
            self.receiving.jobs.begin { await self.finish(folder, attributes) }
        }
    }

    private func finish(_ folder: Download, _ attributes: FileAttributes) async {
        let file = folder.file(isFolder: true)
        do {
            let publication = try await self.makeFolder(folder.destination, attributes)
            self.report(.ended(file, .success(TransferReceipt(folder: publication))))
        } catch {
            self.report(.ended(file, .failure(FxferError(wrapping: error))))
        }
        self.folders.finished(folder)
        self.finishFolders()
        self.wake()
    }

    private func makeFolder(_ path: RelativePath, _ attributes: FileAttributes) async throws -> Publication {
        if let staged = self.store.stageInMemory(path, attributes) { return try await staged.publish() }
        guard case .fresh(let staged) = try await self.store.stage(path, attributes, .afterwards) else {
            preconditionFailure("without a comparison a folder is always staged")
        }
        return try await staged.publish()
    }
}
