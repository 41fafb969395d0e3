import NIOCore

/// The lines of a ledger from an offset on.
struct LedgerLines: ~Copyable {
    /// Longer than any line: a path of 4,096 bytes that are all escaped takes 20 KiB.
    static let maxLength = 64 << 10
    /// About 700 lines.
    private static let usualReadSize = 256 << 10

    private var buffer: [UInt8] = []
    /// Where in `buffer` the next line begins.
    private var index = 0
    /// Where in the file the next line begins.
    private(set) var offset: UInt64
    private let end: UInt64
    private let readSize: Int

    /// - Parameters:
    ///   - offset: where a line begins.
    ///   - end: where to stop, whatever is behind.
    ///   - readSize: how many bytes are read at once.
    init(from offset: UInt64 = 0, to end: UInt64, readSize: Int = Self.usualReadSize) {
        self.offset = offset
        self.end = end
        self.readSize = readSize
    }

    /// A line without its line feed, and what was found at its end.
    struct Line {
        let offset: UInt64
        let bytes: ArraySlice<UInt8>
        /// False where the file ends without a line feed, or the line is longer than any can be.
        let isWhole: Bool
    }

    /// The next line; nil at the end.
    mutating func next(in file: borrowing OwnedDescriptor) throws(Errno) -> Line? {
        while true {
            if let feed = self.buffer[self.index...].firstIndex(of: UInt8(ascii: "\n")) {
                return self.take(upTo: feed, isWhole: true)
            }
            let held = self.buffer.count - self.index
            guard held <= Self.maxLength else { return self.take(upTo: self.buffer.count - 1, isWhole: false) }
            let position = self.offset + UInt64(held)
            guard position < self.end else {
                return held == 0 ? nil : self.take(upTo: self.buffer.count, isWhole: false)
            }
            self.buffer.removeFirst(self.index)
            self.index = 0
            let count = Int(min(UInt64(self.readSize), self.end - position))
            let more = try file.bytes(count, at: position)
            guard !more.isEmpty else { return held == 0 ? nil : self.take(upTo: self.buffer.count, isWhole: false) }
            self.buffer.append(contentsOf: more)
        }
    }

    private mutating func take(upTo feed: Int, isWhole: Bool) -> Line {
        let line = Line(offset: self.offset, bytes: self.buffer[self.index..<feed], isWhole: isWhole)
        let next = min(feed + 1, self.buffer.count)
        self.offset += UInt64(next - self.index)
        self.index = next
        return line
    }
}

extension OwnedDescriptor {
    /// The `count` bytes at `offset`, fewer where the file ends.
    func bytes(_ count: Int, at offset: UInt64) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(Errno) {
                filled = try self.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
