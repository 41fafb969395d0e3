import FxferProtocol
import FxferStorage
import NIOCore

/// A bucket, for those who look after what servers have stored there; they may be running.
package struct StoredBucket: Sendable {
    /// How many objects are read at once.
    private static let lanes = 4
    /// How often a file that is replaced again and again is compared with what it was replaced by.
    private static let rounds = 8

    let store: ObjectStore

    /// Asks whether the bucket is there; writes nothing.
    ///
    /// - Throws: `.cannotConnect`, `.noInput`, `.notPermitted`, `.io`; `CancellationError`.
    package init(
        _ bucket: Bucket,
        _ credentials: CredentialsSource,
        _ requests: S3Client.Options = S3Client.Options()
    ) async throws {
        self.store = ObjectStore(try S3Client(bucket, credentials, requests), ObjectStore.Options())
        do {
            try await self.store.checkReachable()
        } catch {
            await self.store.close()
            throw error
        }
    }

    package func close() async {
        await self.store.close()
    }

    /// The SHA-256 of each file as it was stored last, in the order of the paths' bytes; and where the ledger is damaged.
    ///
    /// - Throws: `.noInput` where there is no ledger; `.io`, `.cannotConnect`; `CancellationError`.
    package func sums() async throws -> (sums: [(path: RelativePath, digest: Digest)], damages: [String]) {
        let book = try await self.readLedger()
        let sums = book.entries.values.compactMap { $0.first.map { ($0.path, $0.digest) } }
            .sorted { $0.0.bytes.lexicographicallyPrecedes($1.0.bytes) }
        return (sums, book.damages)
    }

    private func readLedger() async throws -> LedgerBook {
        let book = try await self.telling { try await self.store.ledger.read() }
        guard !book.entries.isEmpty || !book.damages.isEmpty else {
            let bucket = self.store.client.bucket
            throw FxferError(.noInput, "there is no ledger in \(bucket): no server has stored anything there")
        }
        return book
    }

    func telling<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as S3Error {
            throw error.opening(self.store.client.bucket)
        }
    }

    /// Reads what was stored again, and compares it with the ledger.
    ///
    /// - Parameters:
    ///   - begin: called when it is known what is to be read.
    ///   - pace: called before bytes are read; how many.
    ///   - progress: called with how many were read.
    ///   - report: called for each finding, one after the other.
    /// - Throws: as ``sums()``; what `pace` throws.
    package func verify(
        _ scope: Verification.Scope,
        pace: (@Sendable (Int) async throws -> Void)? = nil,
        begin: @Sendable (Verification.Extent) -> Void,
        progress: @escaping @Sendable (Int) -> Void,
        report: @Sendable (StoredFinding) -> Void
    ) async throws -> Verification.Extent {
        var book = try await self.readLedger()
        for damage in book.damages { report(.ledger(damage)) }
        let objects = try await self.telling { try await self.objects() }
        try self.checkPaths(scope, book, objects)
        var entries = book.entries.values.filter { $0.first.map(scope.contains) ?? false }
            .sorted { $0[0].path.bytes.lexicographicallyPrecedes($1[0].path.bytes) }
        let extent = Verification.Extent(files: entries.count, bytes: entries.reduce(0) { $0 &+ $1[0].size })
        begin(extent)
        for round in 1...Self.rounds {
            let known = book
            let suspects = try await self.check(entries) { count in
                try await pace?(count)
                progress(count)
            }
            guard !suspects.isEmpty else { break }
            book = try await self.readLedger()
            entries = []
            for (path, finding) in suspects.sorted(by: { $0.0.bytes.lexicographicallyPrecedes($1.0.bytes) }) {
                if let newer = book.entries[path], newer.first != known.entries[path]?.first, round < Self.rounds {
                    entries.append(newer)
                } else {
                    report(finding)
                }
            }
        }
        guard scope.unknown != .ignore, scope.since == nil else { return extent }
        for path in objects where scope.contains(bytes: path) {
            let known = (try? RelativePath(bytes: path)).map { book.entries[$0] != nil } ?? false
            if !known { report(.unknown(path, reason: nil)) }
        }
        return extent
    }

    /// The paths of all files, in the order of their bytes.
    private func objects() async throws -> [[UInt8]] {
        var paths: [[UInt8]] = []
        try await self.store.client.forEachPage(self.store.names.prefix) { page in
            for object in page.objects {
                guard let path = self.store.names.path(of: object.key), path.last != UInt8(ascii: "/") else { continue }
                paths.append(path)
            }
        }
        paths += try await self.store.hiddenNames.all().map(\.path).filter { $0.last != UInt8(ascii: "/") }
        return paths.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// - Throws: `.noInput` where a path of the scope is known to nobody.
    private func checkPaths(_ scope: Verification.Scope, _ book: LedgerBook, _ objects: [[UInt8]]) throws {
        for path in scope.paths {
            let isStored = book.entries.keys.contains { $0 == path || $0.isBeneath(path) }
            let isThere = objects.contains { $0 == path.bytes || $0.starts(with: path.bytes + [UInt8(ascii: "/")]) }
            guard !isStored, !isThere else { continue }
            throw FxferError(
                .noInput,
                "neither the ledger nor \(self.store.client.bucket) has '\(path)'; name it from there on"
            )
        }
    }

    /// Reads files; answers those that do not fit their entries.
    private func check(
        _ entries: [[LedgerEntry]],
        _ progress: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> [(RelativePath, StoredFinding)] {
        try await withThrowingTaskGroup(of: (RelativePath, StoredFinding)?.self) { group in
            var suspects: [(RelativePath, StoredFinding)] = []
            var waiting = entries[...]
            for entries in waiting.prefix(Self.lanes) { group.addTask { try await self.check(entries, progress) } }
            waiting = waiting.dropFirst(Self.lanes)
            while let result = try await group.next() {
                if let result { suspects.append(result) }
                if let entries = waiting.popFirst() { group.addTask { try await self.check(entries, progress) } }
            }
            return suspects
        }
    }

    /// Compares an object with what the ledger says of its path: with the last entry, or with one of the same content that
    /// the object itself was stored with, as the clocks of nodes differ.
    private func check(
        _ entries: [LedgerEntry],
        _ progress: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> (RelativePath, StoredFinding)? {
        guard var entry = entries.first else { return nil }
        let path = entry.path
        do {
            guard let object = try await self.store.look(at: path) else { return (path, .missing(path)) }
            let content = try await self.store.content(of: object)
            if let content, let own = entries.first(where: { $0.digest == content.digest }) { entry = own }
            let digest = try await self.store.hash(object, progress: progress)
            guard digest != entry.digest else { return nil }
            let isRewritten = content?.digest != entry.digest
            return (path, .changed(path, StoredFinding.Change(ranges: [], isRewritten: isRewritten)))
        } catch let error as S3Error {
            return (path, .unreadable(path.bytes, "cannot read '\(path)': \(error.explanation)", hasDecayed: false))
        }
    }
}
