import FxferProtocol

/// Leaves of a ledger the last entry of each path, in a file that takes the ledger's name in one step.
///
/// The lines that are left are as they were, so that receipts still find them, and a first line says what they are
/// (``CompactionLine``). Servers that add to the ledger wait meanwhile, and go on with the new file. Blocks.
struct LedgerCompaction: ~Copyable {
    private let folder: LedgerFolder
    /// Whether the last entry of a path is left.
    private let isKept: (RelativePath) throws -> Bool

    /// How many entries there were.
    private var before = 0
    /// What the first line says, where it is that of an earlier compaction.
    private var earlier: CompactionLine?
    /// The hash of the last line.
    private var last: Digest?
    /// By path, which line is its last: the number of its entry among all, from 0 on.
    private var latest: [RelativePath: Int] = [:]
    /// Of the lines that are left.
    private var hash = SHA256()
    private var after = 0
    /// The hash of the last of these.
    private var lastKept: Digest?

    /// - Parameter isKept: asked for the last entry of each path.
    init(_ folder: LedgerFolder, keeping isKept: @escaping (RelativePath) throws -> Bool) {
        self.folder = folder
        self.isKept = isKept
    }

    /// Compacts; answers how many entries there were before and are now.
    ///
    /// - Throws: `.noInput` where there is no ledger; `.damaged`, naming the line; `.noSpace`, `.io`; what `isKept`
    ///   throws. The ledger is as it was then.
    consuming func run() throws -> (before: Int, after: Int) {
        let deadline = self.folder.deadline
        while true {
            guard let file = try self.folder.doing("open", { () throws(Errno) in try self.folder.openForReading() })
            else { throw self.folder.missing() }
            try self.folder.doing("lock") { () throws(Errno) in try file.lock(until: deadline) }
            defer { file.unlock() }
            guard try !self.folder.doing("lock", { () throws(Errno) in try self.folder.isReplaced(file) }) else {
                continue
            }
            try self.survey(file)
            if self.last != nil { try self.replace(file) }
            return (self.before, self.after)
        }
    }

    /// Finds the last entry of each path.
    private mutating func survey(_ file: LedgerFile) throws {
        var reader = try self.reader(file)
        while let finding = try self.next(&reader) {
            switch finding {
            case .entry(let line):
                self.latest[line.entry.path] = self.before
                self.last = line.hash
                self.before += 1
            case .damage(let damage):
                throw self.folder.damage("line \(damage.line): \(damage.explanation)")
            }
        }
        self.earlier = reader.compaction
    }

    private func reader(_ file: LedgerFile) throws(FxferError) -> LedgerReader {
        try self.folder.doing("read") { () throws(Errno) in
            LedgerReader(file, try self.folder.readHead(), length: try file.length())
        }
    }

    private func next(_ reader: inout LedgerReader) throws(FxferError) -> LedgerReader.Finding? {
        do {
            return try reader.next()
        } catch {
            throw self.folder.failure("read", error)
        }
    }

    private mutating func replace(_ file: LedgerFile) throws {
        let new = try self.folder.doing("make") { () throws(Errno) in try self.folder.createCompacted() }
        do {
            let body = try self.keptLines(file)
            let first = CompactionLine(
                time: .now(),
                entries: UInt64(self.after),
                // What the old one says may be anything.
                dropped: (self.earlier?.dropped ?? 0) &+ UInt64(self.before - self.after),
                digest: self.hash.digest(),
                last: self.last ?? .zero
            )
            let bytes = first.encoded + body
            let head = LedgerHead(length: UInt64(bytes.count), last: self.lastKept ?? first.hash)
            try self.folder.doing("write") { () throws(Errno) in
                try new.append(bytes, at: 0)
                try new.sync(upTo: head.length)
                let headFile = try self.folder.openHead()
                // A head may be behind, also after a loss of power, but never ahead.
                try headFile.write(LedgerHead.empty.encoded)
                try headFile.sync()
                try self.folder.replaceByCompacted()
                try headFile.write(head.encoded)
            }
        } catch {
            self.folder.removeCompacted()
            throw error
        }
    }

    /// The lines that are left, with their line feeds. All were read before and were right, and nobody adds any meanwhile;
    /// what is read now is what is left, and is checked again.
    private mutating func keptLines(_ file: LedgerFile) throws -> [UInt8] {
        let kept = try self.keptNumbers()
        let count = kept.count { $0 }
        var bytes: [UInt8] = []
        var lines = LedgerLines(to: try self.folder.doing("read") { () throws(Errno) in try file.length() })
        var number = self.earlier == nil ? 0 : -1
        while let line = try self.folder.doing("read", { () throws(Errno) in try lines.next(in: file.descriptor) }) {
            defer { number += 1 }
            guard kept.indices.contains(number), kept[number] else { continue }
            guard let entry = LedgerLine(line.bytes) else { throw self.changed() }
            bytes += line.bytes
            bytes.append(UInt8(ascii: "\n"))
            self.after += 1
            if self.after == count { self.lastKept = entry.hash }
        }
        guard self.after == count else { throw self.changed() }
        bytes.withUnsafeBytes { self.hash.update($0) }
        return bytes
    }

    private func changed() -> FxferError {
        self.folder.damage("it was another when it was read a second time")
    }

    /// By the number of an entry whether its line is left.
    private func keptNumbers() throws -> [Bool] {
        var kept = [Bool](repeating: false, count: self.before)
        for (path, number) in self.latest where try self.isKept(path) { kept[number] = true }
        return kept
    }
}
