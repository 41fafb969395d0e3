import FxferProtocol
import Glibc

/// Where in the ledger the last entry of each path is: about 30 bytes of memory a path.
struct LedgerIndex: Sendable {
    /// By a hash of the path. Two paths of the same one are rare, and then one of them is not found.
    private var offsets: [Int: UInt64] = [:]

    mutating func note(_ path: RelativePath, at offset: UInt64) {
        self.offsets[path.hashValue] = offset
    }

    /// Where the entry of `path` begins, if there is one.
    func offset(of path: RelativePath) -> UInt64? {
        self.offsets[path.hashValue]
    }

    /// Takes note of the lines of `file` between `start` and `end`, at both of which one ends. What is in them is not
    /// checked: whoever reads one does.
    ///
    /// - Throws: also EIO, where the file has become shorter.
    mutating func note(_ file: LedgerFile, from start: UInt64 = 0, to end: UInt64) throws(Errno) {
        var lines = LedgerLines(from: start, to: end)
        while let line = try lines.next(in: file.descriptor) {
            if let path = LedgerLine.path(of: line.bytes) { self.note(path, at: line.offset) }
        }
        // What is not known to be there passes for unknown.
        guard lines.offset == end else { throw Errno(EIO) }
    }
}
