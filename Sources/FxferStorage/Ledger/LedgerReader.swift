import FxferProtocol

/// Goes through a ledger from its first line to its last, and checks that each is as it was written and follows on the
/// one before.
///
/// It reads what was there when it was made, whatever is added meanwhile. Calls block: for threads of the ``DiskPool``.
struct LedgerReader: ~Copyable {
    /// What is found at a line.
    enum Finding: Hashable, Sendable {
        case entry(LedgerLine)
        case damage(Damage)
    }

    /// Where the chain is broken and how.
    struct Damage: Hashable, Sendable {
        /// The first line is 1.
        let line: Int
        /// A sentence without its line.
        let explanation: String
    }

    private let file: LedgerFile
    /// What `ledger.head` said when the file's length was asked.
    private let head: HeadFile
    private var lines: LedgerLines

    /// Of the line that was read last.
    private var number = 0
    /// The hash of the line before; nil where that is not known, as it was damaged.
    private var last: Digest? = .zero
    /// What the first line says, where the ledger was compacted.
    private(set) var compaction: CompactionLine?
    /// Of the lines that the compaction left.
    private var kept = SHA256()
    private var hasPassedHead = false
    private var hasReachedEnd = false
    /// What is still to be told.
    private var damages: [Damage] = []

    /// Opens the ledger in `folder`.
    ///
    /// - Throws: `.noInput` where there is none, `.io`.
    init(_ folder: LedgerFolder) throws(FxferError) {
        let (file, head, length) = try Self.open(folder)
        self.init(file, head, length: length)
    }

    /// Reads the first `length` bytes of `file`.
    init(_ file: LedgerFile, _ head: HeadFile, length: UInt64) {
        self.file = file
        self.head = head
        self.lines = LedgerLines(to: length)
        if case .head(.empty) = head { self.hasPassedHead = true }
    }

    private static func open(_ folder: LedgerFolder) throws(FxferError) -> (LedgerFile, HeadFile, UInt64) {
        let deadline = folder.deadline
        while true {
            let file = try folder.doing("open") { () throws(Errno) in try folder.openForReading() }
            guard let file else { throw folder.missing() }
            // Whoever adds lines or compacts holds the lock: there is no half of a line, and the head fits.
            let opened = try folder.doing("read") { () throws(Errno) -> (HeadFile, UInt64)? in
                try file.lock(until: deadline)
                defer { file.unlock() }
                guard try !folder.isReplaced(file) else { return nil }
                return (try folder.readHead(), try file.length())
            }
            if let (head, length) = opened { return (file, head, length) }
        }
    }

    /// What is found at the next line, or at the end; nil after that.
    mutating func next() throws(Errno) -> Finding? {
        while self.damages.isEmpty {
            guard let line = try self.lines.next(in: self.file.descriptor) else {
                self.checkEnd()
                return self.damages.popLast().map { .damage($0) }
            }
            self.number += 1
            let entry = self.check(line)
            self.checkHead()
            if let entry { return .entry(entry) }
        }
        return .damage(self.damages.removeFirst())
    }

    /// The entry of the line, where it has one.
    private mutating func check(_ line: LedgerLines.Line) -> LedgerLine? {
        if self.number == 1, line.isWhole, let compaction = CompactionLine(line.bytes) {
            self.compaction = compaction
            self.last = compaction.hash
            return nil
        }
        let isKept = self.isKept(self.number)
        guard line.isWhole, let entry = LedgerLine(line.bytes) else {
            self.note(line.isWhole ? "it is not as it was written" : "it is torn: no line feed ends it")
            self.last = nil
            return nil
        }
        // Those that a compaction has left do not follow on each other.
        if !isKept, let last = self.last, entry.previous != last {
            self.note("it does not follow on the line before: lines were removed, added or moved")
        }
        self.last = entry.hash
        if isKept { self.checkKept(line) }
        return entry
    }

    private func isKept(_ number: Int) -> Bool {
        guard let compaction else { return false }
        return number >= 2 && UInt64(number - 2) < compaction.entries
    }

    private mutating func checkKept(_ line: LedgerLines.Line) {
        line.bytes.withUnsafeBytes { self.kept.update($0) }
        withUnsafeBytes(of: UInt8(ascii: "\n")) { self.kept.update($0) }
        guard let compaction, !self.isKept(self.number + 1), self.kept.digest() != compaction.digest else { return }
        self.note("the lines up to here are not those that the compaction left")
    }

    /// Compares the line that `ledger.head` names.
    private mutating func checkHead() {
        guard case .head(let head) = self.head, self.lines.offset == head.length else { return }
        self.hasPassedHead = true
        if let last = self.last, last != head.last {
            self.note("it is not the one that was written here: see ledger.head")
        }
    }

    private mutating func checkEnd() {
        guard !self.hasReachedEnd else { return }
        self.hasReachedEnd = true
        self.number += 1
        switch self.head {
        case .head where self.hasPassedHead: break
        case .none where self.number == 1: break
        case .none:
            self.note(
                "ledger.head is missing, so lines at the end may be, too; a server that starts makes it anew"
            )
        case .head(let head): self.note("lines are missing at the end: the ledger had \(head.length) bytes")
        case .damaged: self.note("ledger.head is damaged: whether lines are missing at the end cannot be told")
        }
        if self.isKept(self.number) { self.note("lines are missing that the compaction left") }
    }

    private mutating func note(_ explanation: String) {
        self.damages.append(Damage(line: self.number, explanation: explanation))
    }
}
