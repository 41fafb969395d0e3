import FxferProtocol
import Glibc

/// The end of a ledger: all that has to be read of it to go on.
struct LedgerTail {
    /// Where the last whole line ends, and its hash.
    let head: LedgerHead
    /// What is behind it, of which no receipt tells: a line that a crash has torn, and zeros where a loss of power has
    /// left the file longer than what of it came to the disk. Its length in bytes.
    let torn: UInt64

    /// Reads the end of the first `length` bytes of `file`.
    ///
    /// - Throws: `.damaged` where the last line is not as it was written.
    init(of file: LedgerFile, _ length: UInt64, _ folder: LedgerFolder) throws(FxferError) {
        let written = try folder.doing("read") { () throws(Errno) in try Self.lengthWithoutZeros(of: file, length) }
        // The last whole line and a torn one, each with its line feed.
        let window = UInt64(2 * (LedgerLines.maxLength + 1))
        let start = written - min(written, window)
        let bytes = try folder.doing("read") { () throws(Errno) in
            try Self.bytes(of: file, Int(written - start), at: start)
        }
        let feed = UInt8(ascii: "\n")
        guard let end = bytes.lastIndex(of: feed) else {
            guard start == 0 else { throw folder.damage("its last line is longer than any can be") }
            try Self.checkTorn(bytes[...], folder)
            self.head = .empty
            self.torn = length
            return
        }
        try Self.checkTorn(bytes[(end + 1)...], folder)
        let begin = bytes[..<end].lastIndex(of: feed).map { $0 + 1 } ?? 0
        let line = bytes[begin..<end]
        // A compaction may have left no entry.
        guard let hash = LedgerLine(line)?.hash ?? CompactionLine(line)?.hash else {
            throw folder.damage("its last whole line is not as it was written")
        }
        self.head = LedgerHead(length: start + UInt64(end) + 1, last: hash)
        self.torn = length - self.head.length
    }

    /// Where the zeros begin that the first `length` bytes end with. No line has one.
    private static func lengthWithoutZeros(of file: LedgerFile, _ length: UInt64) throws(Errno) -> UInt64 {
        var end = length
        while end > 0 {
            let count = min(end, UInt64(LedgerLines.maxLength))
            let bytes = try Self.bytes(of: file, Int(count), at: end - count)
            if let last = bytes.lastIndex(where: { $0 != 0 }) { return end - count + UInt64(last) + 1 }
            end -= count
        }
        return 0
    }

    /// The `count` bytes at `offset`: fewer, of a file that was longer a moment ago, would pass for a torn end.
    private static func bytes(of file: LedgerFile, _ count: Int, at offset: UInt64) throws(Errno) -> [UInt8] {
        let bytes = try file.descriptor.bytes(count, at: offset)
        guard bytes.count == count else { throw Errno(EIO) }
        return bytes
    }

    /// What is torn by a crash is the beginning of a line, all but its line feed at the most: one that is whole and whose
    /// line feed became something else was damaged in another way.
    private static func checkTorn(_ rest: ArraySlice<UInt8>, _ folder: LedgerFolder) throws(FxferError) {
        guard LedgerLine(rest.dropLast()) == nil else { throw folder.damage("its last line has no line feed") }
    }
}
