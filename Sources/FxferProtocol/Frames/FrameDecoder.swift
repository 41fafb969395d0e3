import NIOCore

/// What a ``FrameDecoder`` finds in a stream of bytes.
package enum WireEvent: Hashable, Sendable {
    /// A control frame, or the announcement of a chunk.
    case frame(Frame)
    /// The next bytes of the announced chunk: a slice of what came in, never empty.
    case payload(ByteBuffer)
    /// The chunk is complete; this is the running digest that the sender claims.
    case payloadEnd(Digest)
}

/// Cuts a stream of bytes into frames. It begins with the preamble, checks every limit before it waits for what is
/// announced, and passes payloads on as they come: at most one control frame is ever held.
package struct FrameDecoder {
    private enum State {
        case preamble
        case header
        case body(FrameHeader)
        case payload(remaining: Int)
        case digest
        case failed
    }

    private var state = State.preamble
    /// The beginning of something that is not complete yet.
    private var partial = ByteBuffer()
    /// What came in last and is not consumed.
    private var incoming = ByteBuffer()

    private let maxBodyLength: UInt32

    /// - Parameter maxBodyLength: the longest body of a frame that is taken, in bytes; no more than the protocol allows.
    package init(maxBodyLength: UInt32 = FrameHeader.maxBodyLength) {
        self.maxBodyLength = min(maxBodyLength, FrameHeader.maxBodyLength)
    }

    /// Hands over bytes as they came from the wire. Call ``next()`` until it answers nil before handing over more.
    package mutating func append(_ bytes: ByteBuffer) {
        precondition(self.incoming.readableBytes == 0, "the decoder is drained before it gets more")
        self.incoming = bytes
    }

    /// Whether the stream may end here: before its first byte or between two frames.
    package var isAtBoundary: Bool {
        switch self.state {
        case .preamble, .header: self.partial.readableBytes == 0 && self.incoming.readableBytes == 0
        case .body, .payload, .digest, .failed: false
        }
    }

    /// How many bytes of something that is not complete are held.
    package var heldBytes: Int { self.partial.readableBytes }

    /// Whether the next byte that is handed over belongs to the payload of a chunk.
    package var awaitsPayload: Bool {
        if case .payload = self.state { self.incoming.readableBytes == 0 } else { false }
    }

    /// The payload that ``next()`` would answer with; nil where that is something else, or nothing.
    package mutating func nextPayload() -> ByteBuffer? {
        guard case .payload(let remaining) = self.state else { return nil }
        let count = min(remaining, self.incoming.readableBytes)
        guard count > 0, let bytes = self.readIncoming(count) else { return nil }
        self.state = count == remaining ? .digest : .payload(remaining: remaining - count)
        return bytes
    }

    /// The next event, or nil until more bytes come.
    ///
    /// - Throws: `protocolViolation`, `limitExceeded` or `damaged`. The stream is useless afterwards:
    ///   the decoder answers nil to whatever follows.
    package mutating func next() throws(FxferError) -> WireEvent? {
        do throws(FxferError) {
            while true {
                switch self.state {
                case .preamble:
                    guard let bytes = self.take(Preamble.bytes.count) else {
                        try Self.checkPreamble(self.partial)
                        return nil
                    }
                    try Self.checkPreamble(bytes)
                    self.state = .header
                case .header:
                    guard let bytes = self.take(FrameHeader.byteCount) else { return nil }
                    self.state = .body(try FrameHeader.read(from: bytes, maxBodyLength: self.maxBodyLength))
                case .body(let header):
                    switch try self.nextFrame(header) {
                    case .incomplete: return nil
                    case .unknown: continue
                    case .frame(let frame): return .frame(frame)
                    }
                case .payload:
                    return self.nextPayload().map { .payload($0) }
                case .digest:
                    guard var bytes = self.take(Digest.byteCount), let digest = bytes.readDigest() else { return nil }
                    self.state = .header
                    return .payloadEnd(digest)
                case .failed:
                    self.incoming = ByteBuffer()
                    return nil
                }
            }
        } catch {
            self.state = .failed
            self.incoming = ByteBuffer()
            throw error
        }
    }

    private enum FrameResult {
        /// More bytes are needed.
        case incomplete
        /// An optional frame of a later version, to be skipped.
        case unknown
        case frame(Frame)
    }

    private mutating func nextFrame(_ header: FrameHeader) throws(FxferError) -> FrameResult {
        guard var bytes = self.take(Int(header.bodyLength) + FrameHeader.trailerByteCount),
            let body = bytes.readSlice(length: Int(header.bodyLength))
        else { return .incomplete }
        guard bytes.readInteger(as: UInt32.self) == CRC32.checksum(of: body.readableBytesView) else {
            throw FxferError(.damaged, "a frame was damaged on the way")
        }
        self.state = .header
        guard let frame = try Frame(type: header.type, body: body) else { return .unknown }
        if case .chunk(let chunk) = frame {
            self.state = .payload(remaining: Int(chunk.length))
        }
        return .frame(frame)
    }

    private static func checkPreamble(_ bytes: ByteBuffer) throws(FxferError) {
        guard Preamble.bytes.starts(with: bytes.readableBytesView) else {
            throw FxferError(.protocolViolation, "the peer does not speak the fxfer protocol")
        }
    }

    /// The next `count` of what came in last, if there are so many; all of its memory is let go of with the last byte.
    private mutating func readIncoming(_ count: Int) -> ByteBuffer? {
        guard let bytes = self.incoming.readSlice(length: count) else { return nil }
        if self.incoming.readableBytes == 0 { self.incoming = ByteBuffer() }
        return bytes
    }

    /// The next `count` bytes, or nil (and everything that came in moved to `partial`) until they are there.
    private mutating func take(_ count: Int) -> ByteBuffer? {
        if self.partial.readableBytes == 0, let slice = self.readIncoming(count) {
            return slice
        }
        let missing = count - self.partial.readableBytes
        if var bytes = self.readIncoming(min(missing, self.incoming.readableBytes)) {
            self.partial.writeBuffer(&bytes)
        }
        guard self.partial.readableBytes == count else { return nil }
        let taken = self.partial
        self.partial = ByteBuffer()
        return taken
    }
}
