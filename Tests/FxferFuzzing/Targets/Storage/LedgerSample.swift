import FxferProtocol

@testable import FxferStorage

/// A ledger that is written line by line, well or not, and read.
struct LedgerSample {
    var bytes: [UInt8] = []
    /// Of the last line that was written well.
    private var last = Digest.zero
    private(set) var entryCount = 0
    private var isFirst = true

    private static func entry(_ number: UInt8) -> LedgerEntry? {
        guard let path = try? RelativePath(bytes: [0x61, number | 0x80]) else { return nil }
        return LedgerEntry(
            path: path,
            size: UInt64(number),
            digest: .zero,
            modified: FileTime(seconds: -1, nanoseconds: 1),
            time: FileTime(seconds: 1_700_000_000, nanoseconds: 0),
            origin: Origin(address: number & 1 == 0 ? nil : "192.0.2.7", token: number & 2 == 0 ? nil : "lab"),
            durability: .durable
        )
    }

    /// The only line of a ledger, with its line feed.
    static func line(_ number: UInt8) -> [UInt8] {
        var bytes: [UInt8] = []
        if let entry = Self.entry(number) { _ = LedgerLine.write(entry, after: .zero, to: &bytes) }
        return bytes
    }

    static let compaction = CompactionLine(
        time: FileTime(seconds: 1_700_000_000, nanoseconds: 0),
        entries: 2,
        dropped: 40,
        digest: .zero,
        last: .zero
    )

    /// - Parameter keeping: how many lines a compaction left; 0 where there was none.
    init(keeping count: UInt8) {
        guard count > 0 else { return }
        let kept = (1...count).flatMap { Self.line($0) }
        var compaction = Self.compaction
        compaction.entries = UInt64(count)
        compaction.digest = Digest(ofContent: kept)
        self.bytes = compaction.encoded + kept
        self.entryCount = Int(count)
        self.isFirst = false
        self.last = self.lineStarts.last.flatMap { LedgerLine(self.bytes[$0...].dropLast())?.hash } ?? .zero
    }

    mutating func add(_ number: UInt8) {
        guard let entry = Self.entry(number) else { return }
        self.last = LedgerLine.write(entry, after: self.last, to: &self.bytes)
        self.entryCount += 1
        self.isFirst = false
    }

    /// Whether the line of `number` that was just written past ``add(_:)`` is the first one, and so a right one.
    mutating func isFirstLine(_ number: UInt8) -> Bool {
        defer { self.isFirst = false }
        guard self.isFirst, self.bytes == Self.line(number) else { return false }
        self.bytes = []
        self.add(number)
        return true
    }

    /// Cuts the end of the last line off; false where there is none.
    mutating func cutLine(at count: UInt8) -> Bool {
        guard let start = self.lineStarts.last else { return false }
        self.bytes.removeLast(min(Int(count) + 1, self.bytes.count - start))
        return true
    }

    mutating func changeByte(at index: UInt16, by mask: UInt8) -> Bool {
        guard !self.bytes.isEmpty, mask != 0 else { return false }
        self.bytes[Int(index) % self.bytes.count] ^= mask
        return true
    }

    mutating func repeatLine() -> Bool {
        guard let start = self.lineStarts.last else { return false }
        self.bytes += self.bytes[start...]
        return true
    }

    private var lineStarts: [Int] {
        guard !self.bytes.isEmpty else { return [] }
        return [0] + self.bytes.indices.dropLast().filter { self.bytes[$0] == 0x0A }.map { $0 + 1 }
    }

    /// What is found in it, where `ledger.head` tells of every line that was written well.
    func read() throws -> [LedgerReader.Finding] {
        let head = self.entryCount == 0 ? LedgerHead.empty : self.head
        var reader = LedgerReader(
            LedgerFile(try scratchFile(self.bytes)),
            .head(head),
            length: UInt64(self.bytes.count)
        )
        var findings: [LedgerReader.Finding] = []
        while let finding = try reader.next() { findings.append(finding) }
        let end = try reader.next()
        try require(end == nil, "something is found behind the end")
        return findings
    }

    private var head: LedgerHead { LedgerHead(length: UInt64(self.bytes.count), last: self.last) }
}
