import FxferProtocol

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

    /// The index of the first `length` bytes of `file`. Lines that are damaged are left out.
    init(of file: LedgerFile, _ length: UInt64) throws(Errno) {
        var lines = LedgerLines(to: length)
        while let line = try lines.next(in: file.descriptor) {
            if let entry = LedgerLine(line.bytes)?.entry { self.note(entry.path, at: line.offset) }
        }
    }
}
