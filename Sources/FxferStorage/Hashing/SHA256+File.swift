extension SHA256 {
    /// How much is read at a time: small enough to stay in the CPU's cache between the read and the hash.
    static let readSize = 256 << 10

    /// Adds `count` bytes of `file` from `offset` on; answers how many there were before the file's end.
    mutating func update(
        from file: borrowing OwnedDescriptor,
        at offset: UInt64,
        count: UInt64
    ) throws(Errno) -> UInt64 {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(min(count, UInt64(Self.readSize))),
            alignment: 4096
        )
        defer { buffer.deallocate() }
        var done: UInt64 = 0
        while done < count {
            let part = UnsafeMutableRawBufferPointer(
                rebasing: buffer.prefix(Int(min(count - done, UInt64(buffer.count))))
            )
            let read = try file.read(into: part, at: offset + done)
            self.update(UnsafeRawBufferPointer(rebasing: part.prefix(read)))
            done += UInt64(read)
            guard read == part.count else { break }
        }
        return done
    }
}
