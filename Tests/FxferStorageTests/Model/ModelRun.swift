import FxferProtocol
import Glibc
import NIOCore

@testable import FxferStorage

/// Events that happen to a ``DirectoryStore`` in a folder of its own, and to a ``StoreModel``; after each the two are
/// compared.
final class ModelRun {
    private(set) var subject: DirectoryUnderTest
    var model = StoreModel()
    /// By the number of the client.
    var uploads: [Int: ModelUpload] = [:]
    /// What may be left of files that were not finished, by path: the one, or one of several.
    var partials: [[UInt8]: [StoreModel.Partial]] = [:]

    /// In memory, where there is a folder for that: nothing here depends on what a disk keeps, and flushing to one takes
    /// most of the time.
    private init() async throws {
        self.subject = try await DirectoryUnderTest(in: TemporaryFolder(inMemory: true))
    }

    /// - Throws: ``ModelMismatch`` where the store is not as the model is.
    static func play(_ events: [StoreEvent]) async throws {
        let run = try await ModelRun()
        for event in events {
            try await run.happen(event)
            try await run.compare()
        }
        try run.compareLedger()
    }

    private func happen(_ event: StoreEvent) async throws {
        switch event {
        case .offer(let client, let file, let comparison): try await self.offer(client, file, comparison)
        case .send(let client): try await self.uploads[client]?.send()
        case .damage(let client): try await self.uploads[client]?.damage()
        case .finish(let clients): try await self.finish(clients.filter { self.uploads[$0] != nil })
        case .cancel(let client, let keeping): await self.cancel(client, keepingPartial: keeping)
        case .forget(let client): try await self.drop([client])
        case .folder(let path): try await self.send(folder: path)
        case .crash: try await self.crash()
        case .reopen(let policy): try await self.reopen(policy)
        }
    }

    /// Nobody knows of these clients' files any more. Returns when they are gone: the thread that has just done something
    /// for one may be the last to let go of it.
    func drop(_ clients: [Int]) async throws {
        let dropped = clients.compactMap { self.uploads.removeValue(forKey: $0)?.staged }.map(Dropped.init)
        try await Self.wait("a file that nobody has is kept") { dropped.allSatisfy { $0.file == nil } }
    }

    private struct Dropped {
        weak var file: DirectoryStagedFile?
    }

    /// A client gives its file up; what is verified of it may stay.
    private func cancel(_ client: Int, keepingPartial: Bool) async {
        guard let upload = self.uploads.removeValue(forKey: client), let staged = upload.staged else { return }
        await staged.discard(keepingPartial: keepingPartial)
        guard keepingPartial, upload.isResumable, staged.position > 0 else { return }
        let places = upload.places + (upload.pendingPlace.map { [$0] } ?? [])
        guard !places.isEmpty else { return }
        self.partials[upload.file.path] = [StoreModel.Partial(file: upload.file, places: places, isCertain: true)]
    }

    /// Whether a client has what is left at `path`.
    func isHeld(_ path: [UInt8]) -> Bool {
        self.uploads.values.contains { $0.isResumable && $0.file.path == path }
    }

    private func send(folder path: [UInt8]) async throws {
        let attributes = FileAttributes(isFolder: true)
        let result: StoreModel.Outcome
        do {
            let target = try RelativePath(bytes: path)
            guard let staged = self.subject.store.stageInMemory(target, attributes) else {
                throw ModelMismatch(description: "a folder is not staged")
            }
            let publication = try await staged.publish()
            result = .published(publication.outcome, at: publication.path.bytes)
        } catch let error as FxferError {
            result = .failed(error.code)
        }
        let expected = self.model.publish(folder: path)
        try ModelMismatch.require(result == expected, "the folder: \(result), not \(expected)")
        // What was left of a file of that name is of no use any more.
        if case .published = result, !self.isHeld(path) { self.partials[path] = nil }
    }

    // MARK: The server ends

    /// The folder as it is now becomes that of another store; the old one knows nothing of it.
    private func crash() async throws {
        let copy = try TemporaryFolder(inMemory: true)
        try copy.becomeCopy(of: self.subject.folder)
        for upload in self.uploads.values where upload.isResumable {
            let partial = StoreModel.Partial(file: upload.file, places: upload.places, isCertain: false)
            self.partials[upload.file.path, default: []].append(partial)
        }
        try await self.drop(Array(self.uploads.keys))
        try await self.open(copy, self.model.policy)
    }

    private func reopen(_ policy: ConflictPolicy) async throws {
        for client in self.uploads.keys.sorted() { await self.cancel(client, keepingPartial: true) }
        try await self.open(self.subject.folder, policy)
    }

    private func open(_ folder: TemporaryFolder, _ policy: ConflictPolicy) async throws {
        var options = DirectoryStore.Options.patient
        options.conflict = policy
        self.model.policy = policy
        self.subject = try await DirectoryUnderTest(in: folder, options: options)
        try self.compareLedger()
    }

    // MARK: Comparing

    /// The same names with the same content, and no more staged files than there are uploads and partials.
    private func compare() async throws {
        let published = try self.subject.published()
        let names = self.model.files.keys.sorted { $0.lexicographicallyPrecedes($1) }
        try ModelMismatch.require(
            published == names,
            "there are \(published.map(EscapedText.escape)), not \(names.map(EscapedText.escape))"
        )
        for (path, file) in self.model.files {
            // By digest: without optimisation, arrays are compared a thousand times slower.
            let isSame = try self.subject.digest(at: path) == file.digest
            try ModelMismatch.require(isSame, "'\(EscapedText.escape(path))' has other content")
        }
        let held = Set(self.uploads.values.filter(\.isResumable).map(\.file.path))
        let uploads = self.uploads.values.map(\.stagedCount).reduce(0, +)
        let left = self.partials.filter { !held.contains($0.key) }
        let certain = uploads + left.values.count { $0.contains(where: \.isCertain) }
        let most = uploads + left.count
        // One that was dropped just now may still be on its way out.
        try await Self.wait("there are more than \(most) staged files") { try self.subject.stagedCount() <= most }
        let staged = try self.subject.stagedCount()
        try ModelMismatch.require(staged >= certain, "there are \(staged) staged files, not \(certain)")
    }

    /// Returns as soon as it `holds`.
    private static func wait(_ complaint: @autoclosure () -> String, until holds: () throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(10)
        while try !holds() {
            try ModelMismatch.require(.now < end, complaint())
            await Task.yield()
        }
    }

    /// The ledger is not damaged, and its last word of each file is what the file is.
    private func compareLedger() throws {
        let folder = try self.subject.folder.open().openFolderBeneath(CPath(".fxfer"))
        let ledger = try LedgerContent(of: LedgerFolder(folder, of: Array(self.subject.folder.path.utf8)))
        try ModelMismatch.require(ledger.damages.isEmpty, "the ledger is damaged: \(ledger.damages)")
        for (path, file) in self.model.files {
            let entry = ledger.latest[try RelativePath(bytes: path)]
            try ModelMismatch.require(
                entry?.digest == file.digest && entry?.modified == file.modified,
                "the ledger says something else of '\(EscapedText.escape(path))'"
            )
        }
        try ModelMismatch.require(ledger.latest.count == self.model.files.count, "the ledger has other files")
    }
}
