import FxferProtocol
import Glibc
import NIOCore

/// The journal beside a partial, open: a ``PartialHeader``, then a ``PartialRecord`` for each verified chunk.
///
/// It is only ever added to, or begun anew. Neither it nor the content is fsynced: after a loss of power records or
/// content may be missing or damaged. That costs chunks, never correctness, as a record only counts where the content
/// read back has its digest (``PartialVerifier``). For the same reason the records need no checksum of their own.
struct PartialJournal: ~Copyable, Sendable {
    /// What the journal is to begin with; on disk it may still have another.
    private(set) var header: PartialHeader
    private let file: OwnedDescriptor
    /// How many records there are; where the next one goes.
    private var count: UInt64 = 0

    init(_ file: consuming OwnedDescriptor, _ header: PartialHeader) {
        self.file = file
        self.header = header
    }

    /// The header on disk; nil where it is damaged or missing.
    static func header(in file: borrowing OwnedDescriptor) throws(Errno) -> PartialHeader? {
        var bytes = ByteBuffer()
        try file.read(PartialHeader.maxByteCount, at: 0, into: &bytes)
        return PartialHeader(bytes)
    }

    /// Whether the header on disk is of the same path, and not damaged.
    func isOfItsFile() throws(Errno) -> Bool {
        try Self.header(in: self.file)?.path == self.header.path
    }

    /// The next of `records`; nil at their end.
    func next(of records: inout PartialRecords) throws(Errno) -> PartialRecord? {
        try records.next(in: self)
    }

    /// A window of the records from `index` on; empty at the end. A torn last record is no record.
    func records(from index: UInt64) throws(Errno) -> ByteBuffer {
        var bytes = ByteBuffer()
        try self.file.read(Self.windowCount * PartialRecord.byteCount, at: self.offset(of: index), into: &bytes)
        return bytes
    }

    /// Records that are read at once: 64 KiB of them, 1.6 GiB of content in chunks of 1 MiB.
    private static let windowCount = 1638

    /// Forgets everything and begins anew.
    mutating func restart() throws(Errno) {
        try self.file.truncate(to: 0)
        try self.write(self.header.encoded, at: 0)
        self.count = 0
    }

    /// Goes on after the first `count` records and forgets those behind; keeps the time of the first try.
    mutating func resume(after count: UInt64) throws(Errno) {
        let stored = try Self.header(in: self.file)
        self.header.created = stored?.created ?? self.header.created
        if stored != self.header { try self.write(self.header.encoded, at: 0) }
        try self.file.truncate(to: self.offset(of: count))
        self.count = count
    }

    /// Adds a record.
    mutating func append(_ record: PartialRecord) throws(Errno) {
        try self.write(record.encoded, at: self.offset(of: self.count))
        self.count += 1
    }

    private func offset(of index: UInt64) -> UInt64 {
        UInt64(self.header.byteCount) + index * UInt64(PartialRecord.byteCount)
    }

    private func write(_ bytes: ByteBuffer, at offset: UInt64) throws(Errno) {
        let result = bytes.withUnsafeReadableBytes { bytes in
            Result { () throws(Errno) in try self.file.write(bytes, at: offset) }
        }
        try result.get()
    }
}
