import FxferProtocol
import Glibc
import NIOCore
import Synchronization

/// Reads what was stored in a directory again and compares it with the ledger, while servers may be storing more.
///
/// What does not fit is looked at a second time, after the ledger was read again: a file that was replaced meanwhile is
/// compared with what it was replaced by.
package struct Verification: Sendable {
    /// What is done about files of which the ledger says nothing.
    package enum Unknown: Sendable {
        case ignore
        case report
        /// They are read, made durable and written into the ledger.
        case adopt
    }

    /// What is looked at.
    package struct Scope: Sendable {
        /// Files, and folders with all that is beneath; everything where there are none.
        package var paths: [RelativePath] = []
        /// Only what was stored then or later, and nothing of which the ledger says nothing.
        package var since: FileTime?
        package var unknown = Unknown.report

        package init() {}

        /// Whether something with that path is in it, whenever it was stored.
        package func contains(bytes: [UInt8]) -> Bool {
            self.paths.isEmpty
                || self.paths.contains { path in
                    bytes == path.bytes || bytes.starts(with: path.bytes + [UInt8(ascii: "/")])
                }
        }

        /// Whether something beneath that folder may be in it.
        func reaches(_ folder: [UInt8]) -> Bool {
            self.contains(bytes: folder) || self.paths.contains { $0.bytes.starts(with: folder + [UInt8(ascii: "/")]) }
        }

        package func contains(_ entry: LedgerEntry) -> Bool {
            guard self.contains(bytes: entry.path.bytes) else { return false }
            guard let since else { return true }
            return (entry.time.seconds, entry.time.nanoseconds) >= (since.seconds, since.nanoseconds)
        }
    }

    /// What was looked at.
    package struct Extent: Hashable, Sendable {
        package let files: Int
        package let bytes: UInt64

        package init(files: Int, bytes: UInt64) {
            self.files = files
            self.bytes = bytes
        }
    }

    /// How often a file that is replaced again and again is compared with what it was replaced by.
    private static let rounds = 8
    /// Files of fewer bytes are read by one thread each: there are others.
    private static let sharedSize: UInt64 = 16 << 20

    private let directory: StoredDirectory
    private let scope: Scope
    private let pool: DiskPool
    /// How many files are read at once, and by how many threads a large one.
    private let lanes: Int
    private let pace: FileProof.Pace?
    private let progress: FileProof.Progress?

    package init(
        _ directory: StoredDirectory,
        _ scope: Scope,
        pool: DiskPool = .shared,
        lanes: Int = System.coreCount,
        pace: FileProof.Pace? = nil,
        progress: FileProof.Progress? = nil
    ) {
        self.directory = directory
        self.scope = scope
        self.pool = pool
        self.lanes = lanes
        self.pace = pace
        self.progress = progress
    }

    /// Verifies; answers what was looked at.
    ///
    /// - Parameters:
    ///   - begin: called when it is known what is to be read.
    ///   - report: called for each finding, one after the other.
    /// - Throws: `.noInput` where there is no ledger, or a path of the scope that neither it nor the directory knows;
    ///   `.io`; what `pace` throws; `CancellationError`.
    package func run(
        begin: @Sendable (Extent) -> Void = { _ in },
        report: @escaping @Sendable (StoredFinding) -> Void
    ) async throws -> Extent {
        var content = try await self.pool.run { try self.directory.readLedger() }
        for damage in content.damages { report(.ledger(damage)) }
        try await self.pool.run { [content] in try self.checkPaths(in: content) }
        var entries = content.latest.values.filter(self.scope.contains)
            .sorted { $0.path.bytes.lexicographicallyPrecedes($1.path.bytes) }
        let extent = Extent(files: entries.count, bytes: entries.reduce(0) { $0 &+ $1.size })
        begin(extent)
        for round in 1...Self.rounds {
            let (known, isLast) = (content, round == Self.rounds)
            let suspects = try await self.check(entries)
            guard !suspects.isEmpty else { break }
            content = try await self.pool.run { try self.directory.readLedger() }
            entries = []
            for (entry, finding) in suspects.sorted(by: { $0.0.path.bytes.lexicographicallyPrecedes($1.0.path.bytes) })
            {
                if let newer = content.latest[entry.path], newer != known.latest[entry.path], !isLast {
                    entries.append(newer)
                } else {
                    report(finding)
                }
            }
        }
        for finding in try await self.others(beside: content) { report(finding) }
        return extent
    }

    /// - Throws: `.noInput` where a path of the scope is known to nobody: a slip in it must not look like files that are
    ///   as stored.
    private func checkPaths(in content: LedgerContent) throws(FxferError) {
        for path in self.scope.paths {
            let isStored = content.latest.keys.contains { $0 == path || $0.isBeneath(path) }
            let isThere = try self.directory.tree.has(path)
            guard !isStored, !isThere else { continue }
            throw FxferError(
                .noInput,
                "neither the ledger nor '\(self.directory.ledger.directory)' has '\(path)'; name it from there on"
            )
        }
    }

    /// Reads files; answers those that do not fit their entries.
    private func check(_ entries: [LedgerEntry]) async throws -> [(LedgerEntry, StoredFinding)] {
        try await withThrowingTaskGroup(of: (LedgerEntry, StoredFinding)?.self) { group in
            var suspects: [(LedgerEntry, StoredFinding)] = []
            var waiting = entries[...]
            for entry in waiting.prefix(self.lanes) { group.addTask { try await self.check(entry) } }
            waiting = waiting.dropFirst(self.lanes)
            while let result = try await group.next() {
                if let result { suspects.append(result) }
                if let entry = waiting.popFirst() { group.addTask { try await self.check(entry) } }
            }
            return suspects
        }
    }

    private func check(_ entry: LedgerEntry) async throws -> (LedgerEntry, StoredFinding)? {
        do {
            guard let proof = try await self.pool.run({ try self.open(entry) }) else {
                return (entry, .missing(entry.path))
            }
            let lanes = entry.size < Self.sharedSize ? 1 : self.lanes
            let finding = try await proof.run(lanes: lanes, on: self.pool, pace: self.pace, progress: self.progress)
            guard case .changed(let ranges) = finding else { return nil }
            // Asked for only now, as somebody may have written while it was read.
            let status = try await self.pool.run { try proof.status() }
            let isRewritten = status.stamp.modified != entry.modified || status.size != entry.size
            return (entry, .changed(entry.path, StoredFinding.Change(ranges: ranges, isRewritten: isRewritten)))
        } catch let error as FxferError {
            return (entry, .unreadable(entry.path.bytes, error.message, hasDecayed: error.isDiskError))
        }
    }

    /// The file of an entry; nil where it is not there.
    private func open(_ entry: LedgerEntry) throws(FxferError) -> FileProof? {
        let path = entry.path
        do {
            switch try StoredFile.open(path, in: self.directory.tree) {
            case .missing:
                return nil
            case .other(let kind):
                throw FxferError(.noInput, "'\(path)' is \(kind.rawValue)")
            case .file(let file):
                let states = self.directory.states?.load(for: entry.digest, size: entry.size)
                return FileProof(file, path, size: entry.size, digest: entry.digest, states: states)
            }
        } catch let error as FxferError {
            throw error
        } catch let error as Errno {
            throw FxferError(.io, "cannot read '\(path)': \(error)", cause: error)
        } catch {
            throw FxferError(.internal, "cannot read '\(path)'", cause: error)
        }
    }

    /// What is in the scope and of which the ledger says nothing, also when it is read again.
    private func others(beside content: LedgerContent) async throws -> [StoredFinding] {
        guard self.scope.unknown != .ignore, self.scope.since == nil else { return [] }
        let walk = Mutex(UnknownWalk(scope: self.scope, content: content))
        while try await self.pool.run({ try walk.withLock { try $0.goOn(in: self.directory) } }) {
            try Task.checkCancellation()
        }
        let (found, unreadable) = walk.withLock { ($0.found, $0.unreadable) }
        let unknown = try await self.pool.run { try self.stillUnknown(found) }
        var findings = unreadable
        for path in unknown.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            // A ledger that is damaged was told of, and takes no more.
            findings.append(
                try await self.judge(path, mayAdopt: self.scope.unknown == .adopt && content.damages.isEmpty)
            )
        }
        return findings
    }

    /// A file has its name a moment before its entry; until then it is locked, which is waited for here.
    private func stillUnknown(_ found: [[UInt8]]) throws(FxferError) -> [[UInt8]] {
        guard !found.isEmpty else { return [] }
        let there = found.filter { bytes in
            guard let path = try? RelativePath(bytes: bytes) else { return true }
            guard case .missing? = try? StoredFile.open(path, in: self.directory.tree) else { return true }
            return false
        }
        let content = try self.directory.readLedger()
        return there.filter { (try? RelativePath(bytes: $0)).map { content.latest[$0] == nil } ?? true }
    }

    private func judge(_ bytes: [UInt8], mayAdopt: Bool) async throws -> StoredFinding {
        guard mayAdopt else { return .unknown(bytes, reason: nil) }
        let path: RelativePath
        do throws(PathRule) {
            path = try RelativePath(bytes: bytes)
        } catch {
            return .unknown(bytes, reason: "its name \(error.explanation)")
        }
        do {
            guard let digest = try await self.directory.adopt(path, on: self.pool) else {
                return .unknown(bytes, reason: "it is no file")
            }
            return .adopted(path, digest)
        } catch let error as FxferError {
            return .unknown(bytes, reason: error.message)
        }
    }
}

/// Looks for what a ledger does not know.
private struct UnknownWalk {
    let scope: Verification.Scope
    let content: LedgerContent
    private(set) var found: [[UInt8]] = []
    private(set) var unreadable: [StoredFinding] = []
    private var walk = DirectoryWalk()

    init(scope: Verification.Scope, content: LedgerContent) {
        self.scope = scope
        self.content = content
    }

    mutating func goOn(in directory: StoredDirectory) throws(FxferError) -> Bool {
        var (found, unreadable) = ([[UInt8]](), [StoredFinding]())
        let (scope, content) = (self.scope, self.content)
        defer {
            self.found += found
            self.unreadable += unreadable
        }
        do throws(Errno) {
            return try self.walk.goOn(in: directory.tree, through: scope.reaches) { path, error in
                let reason = "cannot read '\(EscapedText.escape(path))': \(error)"
                unreadable.append(.unreadable(path, reason, hasDecayed: false))
            } _: { entry in
                guard entry.kind != .folder, scope.contains(bytes: entry.path) else { return }
                if (try? RelativePath(bytes: entry.path)).map({ content.latest[$0] == nil }) ?? true {
                    found.append(entry.path)
                }
            }
        } catch {
            throw FxferError(.io, "cannot look through '\(directory.ledger.directory)': \(error)", cause: error)
        }
    }
}
