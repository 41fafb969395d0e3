import Glibc
import NIOCore

extension OwnedDescriptor {
    /// pread(2) until `buffer` is full or the file ends; answers how many bytes were read.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(Errno) -> Int {
        let start = try Self.checked(offset, buffer.count)
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try transferring(.pread, self.number, upTo: rest.count) {
                pread($0, rest.baseAddress, $1, start + off_t(done))
            }
            guard count > 0 else { break }
            done += count
        }
        return done
    }

    /// Adds the `count` bytes at `offset` to `bytes`, fewer where the file ends.
    func read(_ count: Int, at offset: UInt64, into bytes: inout ByteBuffer) throws(Errno) {
        var failure: Errno?
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { buffer in
            do throws(Errno) {
                return try self.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(count)), at: offset)
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
    }

    /// pwrite(2) of all `bytes`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(Errno) {
        try Self.write(bytes, at: offset, to: self.number)
    }

    /// pwrite(2) of all `bytes` to the descriptor `number`, which its owner keeps open until this has returned.
    static func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64, to number: CInt) throws(Errno) {
        let start = try Self.checked(offset, bytes.count)
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = try transferring(.pwrite, number, upTo: rest.count) {
                pwrite($0, rest.baseAddress, $1, start + off_t(done))
            }
            // write(2) answers 0 for a positive count only where something is wrong with the device.
            guard count > 0 else { throw Errno(EIO) }
            done += count
        }
    }

    /// ftruncate(2).
    package func truncate(to length: UInt64) throws(Errno) {
        let length = try Self.checked(length, 0)
        try retrying(.ftruncate, self.number) { ftruncate($0, length) }
    }

    /// `offset` as the kernel takes it; EFBIG where the range goes beyond 2^63 - 1.
    private static func checked(_ offset: UInt64, _ count: Int) throws(Errno) -> off_t {
        let (end, overflow) = offset.addingReportingOverflow(UInt64(count))
        guard !overflow, end <= UInt64(off_t.max) else { throw Errno(EFBIG) }
        return off_t(offset)
    }
}
