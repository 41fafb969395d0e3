import FxferProtocol
import NIOCore

/// Reads a journal's records front to back, a window at a time, as long as they make sense: each is of more bytes than
/// the one before, and of no more than a limit.
struct PartialRecords: Sendable {
    /// How many records were read.
    private(set) var count: UInt64 = 0
    private var length: UInt64 = 0
    private var window = ByteBuffer()
    private let limit: UInt64

    init(upTo limit: UInt64) {
        self.limit = limit
    }

    /// The next record in `journal`; nil at the end of those that make sense.
    mutating func next(in journal: borrowing PartialJournal) throws(Errno) -> PartialRecord? {
        if self.window.readableBytes < PartialRecord.byteCount { self.window = try journal.records(from: self.count) }
        guard let record = PartialRecord(from: &self.window), record.length > self.length, record.length <= self.limit
        else { return nil }
        self.count += 1
        self.length = record.length
        return record
    }
}
