extension SHA256 {
    /// How much is read at a time: small enough to stay in the CPU's cache between the read and the hash.
    static let readSize = 256 << 10

    /// Adds `count` bytes of `file` from `offset` on; answers how many there were before the file's end.
    mutating func update(
        from file: borrowing OwnedDescriptor,
        at offset: UInt64,
        count: UInt64
    ) throws(Errno) -> UInt64 {
        try file.readParts(at: offset, count: count) { self.update($0) }
    }
}

extension SteppedHash {
    /// Adds up to `count` bytes of `file`, which follow on the last ones; answers how many there were before its end.
    /// Those that were read before an error are hashed.
    mutating func update(from file: borrowing OwnedDescriptor, count: UInt64) throws(Errno) -> UInt64 {
        try file.readParts(at: self.position, count: count) { self.update($0) }
    }
}

extension OwnedDescriptor {
    /// Reads `count` bytes from `offset` on and calls `body` with one part of them after another; answers how many there
    /// were before the file's end.
    fileprivate func readParts(
        at offset: UInt64,
        count: UInt64,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(Errno) -> UInt64 {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(min(count, UInt64(SHA256.readSize))),
            alignment: 4096
        )
        defer { buffer.deallocate() }
        var done: UInt64 = 0
        while done < count {
            let part = UnsafeMutableRawBufferPointer(
                rebasing: buffer.prefix(Int(min(count - done, UInt64(buffer.count))))
            )
            let read = try self.read(into: part, at: offset + done)
            body(UnsafeRawBufferPointer(rebasing: part.prefix(read)))
            done += UInt64(read)
            guard read == part.count else { break }
        }
        return done
    }
}
