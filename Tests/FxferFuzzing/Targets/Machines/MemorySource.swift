import FxferProtocol
import NIOCore

@testable import FxferStorage

/// A file's content as a client reads it: by the trails of real sources, which remember the same places and no others.
final class MemorySource {
    let content: [UInt8]
    private var trail = HashTrail()
    private var stream = StreamTrail()
    private let isStream: Bool
    private var confirmed: UInt64 = 0

    init(_ content: [UInt8], isStream: Bool) {
        self.content = content
        self.isStream = isStream
    }

    func confirm(_ offset: UInt64) {
        self.confirmed = offset
        if self.isStream { self.stream.forget(before: offset) }
    }

    func restart() throws(BrokenRule) {
        guard !self.isStream else { return try self.rewind(to: 0) }
        self.confirmed = 0
        self.trail.restart()
    }

    func rewind(to offset: UInt64) throws(BrokenRule) {
        self.trail.forget(before: self.confirmed)
        let isThere = self.isStream ? self.stream.goBack(to: offset) != nil : self.trail.goBack(to: offset)
        try require(isThere, "the source is to go back to \(offset), which it does not remember")
    }

    /// What is read at `offset`, and the digest up to its end.
    func read(at offset: UInt64, _ count: Int) throws(BrokenRule) -> (bytes: [UInt8], prefix: FilePrefix) {
        let place = self.isStream ? self.stream.offset : self.trail.offset
        try require(offset == place, "the source is to be read at \(offset), and is at \(place)")
        let bytes = Array(self.content.dropFirst(Int(offset)).prefix(count))
        if self.isStream {
            let chunk = self.stream.next() ?? self.stream.append(ByteBuffer(bytes: bytes))
            let end = offset + UInt64(chunk.bytes.readableBytes)
            return (Array(chunk.bytes.readableBytesView), FilePrefix(length: end, digest: chunk.digest))
        }
        bytes.withUnsafeBytes { self.trail.advance(over: $0) }
        return (bytes, FilePrefix(length: self.trail.offset, digest: self.trail.mark()))
    }

    func hashPrefix(_ length: UInt64) throws(BrokenRule) -> FilePrefix {
        try require(!self.isStream && (1...UInt64(self.content.count)).contains(length), "a prefix of \(length) bytes")
        try self.restart()
        return try self.read(at: 0, Int(length)).prefix
    }

    func skip(to offset: UInt64) throws(BrokenRule) {
        let place = self.trail.offset
        try require(!self.isStream && place < offset && offset <= self.content.count, "a skip to \(offset)")
        _ = try self.read(at: place, Int(offset - place))
    }
}
