import Glibc

/// Memory for O_DIRECT: 1 MiB at an address that suits every device.
final class AlignedBuffer {
    static let size = 1 << 20
    /// In bytes. O_DIRECT asks for the device's logical block size, which is at most a page on most machines and 64 KiB
    /// anywhere.
    private static let alignment = 64 << 10

    let bytes: UnsafeMutableRawBufferPointer

    init() {
        self.bytes = .allocate(byteCount: Self.size, alignment: Self.alignment)
    }

    deinit {
        self.bytes.deallocate()
    }
}

extension OwnedDescriptor {
    /// pread(2) of `count` bytes, at most what the buffer has; fewer where the file ends. Whole blocks are asked for, as
    /// O_DIRECT wants it.
    func read(into buffer: AlignedBuffer, _ count: Int, at offset: UInt64) throws(Errno) -> Int {
        var done = 0
        while done < count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[done...])
            let read = try transferring(.pread, self.number, upTo: rest.count) {
                pread($0, rest.baseAddress, $1, off_t(offset) + off_t(done))
            }
            guard read > 0 else { break }
            done += read
        }
        return min(done, count)
    }
}
