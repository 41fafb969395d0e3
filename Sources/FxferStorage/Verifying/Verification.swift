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
        func contains(bytes: [UInt8]) -> Bool {
            self.paths.isEmpty
                || self.paths.contains { path in
                    bytes == path.bytes || bytes.starts(with: path.bytes + [UInt8(ascii: "/")])
                }
        }

        func contains(_ entry: LedgerEntry) -> Bool {
            guard self.contains(bytes: entry.path.bytes) else { return false }
            guard let since else { return true }
            return (entry.time.seconds, entry.time.nanoseconds) >= (since.seconds, since.nanoseconds)
        }
    }

    /// What was looked at.
    package struct Extent: Hashable, Sendable {
        package let files: Int
        package let bytes: UInt64
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
            guard let (proof, modified) = try await self.pool.run({ try self.open(entry) }) else {
                return (entry, .missing(entry.path))
            }
            let lanes = entry.size < Self.sharedSize ? 1 : self.lanes
            let finding = try await proof.run(lanes: lanes, on: self.pool, pace: self.pace, progress: self.progress)
            guard case .changed(let ranges) = finding else { return nil }
            let isRewritten = modified != entry.modified
            return (entry, .changed(entry.path, StoredFinding.Change(ranges: ranges, isRewritten: isRewritten)))
        } catch let error as FxferError {
            return (entry, .unreadable(entry.path.bytes, error.message))
        }
    }

    /// The file of an entry, and its modification time; nil where it is not there.
    private func open(_ entry: LedgerEntry) throws(FxferError) -> (FileProof, FileTime)? {
        let path = entry.path
        do {
            switch try StoredFile.open(path, in: self.directory.tree) {
            case .missing:
                return nil
            case .other(let kind):
                throw FxferError(.noInput, "'\(path)' is \(kind.rawValue)")
            case .file(let file):
                let modified = try file.status().stamp.modified
                let states = self.directory.states?.load(for: entry.digest, size: entry.size)
                return (FileProof(file, path, size: entry.size, digest: entry.digest, states: states), modified)
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
            findings.append(try await self.judge(path))
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

    private func judge(_ bytes: [UInt8]) async throws -> StoredFinding {
        guard self.scope.unknown == .adopt, let path = try? RelativePath(bytes: bytes) else { return .unknown(bytes) }
        do {
            guard let digest = try await self.directory.adopt(path, on: self.pool) else { return .unknown(bytes) }
            return .adopted(path, digest)
        } catch let error as FxferError {
            return .unreadable(bytes, error.message)
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
            return try self.walk.goOn(in: directory.tree) { path, error in
                unreadable.append(.unreadable(path, "cannot read '\(EscapedText.escape(path))': \(error)"))
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
