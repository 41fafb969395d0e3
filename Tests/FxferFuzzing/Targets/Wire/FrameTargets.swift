import NIOCore

@testable import FxferProtocol

extension FuzzTarget {
    /// A stream is cut into the same frames however it comes in, and each frame can be written and read again.
    ///
    /// Input: a number that the pieces are chosen by, a byte for the longest frame that is taken, the stream.
    static let frameStream = FuzzTarget(
        "frame-stream",
        maxLength: 8192,
        seeds: Testdata.wireStreams.filter { $0.count < 4096 }.map { [1, 2, 3, 4, 0] + $0 }
    ) { bytes in
        var input = FuzzInput(bytes)
        var state = input.integer(UInt32.self) | 1
        let limit: UInt32 = input.flag() ? 64 : FrameHeader.maxBodyLength
        let stream = Array(input.rest)
        let whole = try DecodedStream(stream, maxBodyLength: limit) { stream.count }
        let pieces = try DecodedStream(stream, maxBodyLength: limit) {
            // Xorshift (Marsaglia 2003).
            state ^= state << 13
            state ^= state >> 17
            state ^= state << 5
            return Int(state % 40)
        }
        try require(whole == pieces, "in pieces the stream is another one")
        let bytes = try DecodedStream(stream, maxBodyLength: limit) { 1 }
        try require(whole == bytes, "byte by byte the stream is another one")
        for frame in whole.frames { try checkFrame(frame) }
    }

    /// A frame whose checksums are right: what it is read as can be written, and is read as the same again.
    ///
    /// Input: the frame's type, its body.
    static let frameBody = FuzzTarget(
        "frame-body",
        maxLength: 65_537,
        seeds: Testdata.wireStreams.filter { $0.count < 4096 }.flatMap { Self.bodies(of: $0) }
    ) { bytes in
        var input = FuzzInput(bytes)
        let type = FrameType(rawValue: input.byte())
        let body = ByteBuffer(bytes: input.rest.prefix(Int(FrameHeader.maxBodyLength)))
        let frame: Frame?
        do throws(FxferError) {
            frame = try Frame(type: type, body: body)
        } catch {
            return try require(
                error.code == .protocolViolation || error.code == .limitExceeded,
                "a frame is refused with \(error.code)"
            )
        }
        guard let frame else { return try require(type.isOptional, "a critical frame is skipped") }
        try checkFrame(frame)
    }

    /// Type and body of each frame of a stream.
    private static func bodies(of stream: [UInt8]) -> [[UInt8]] {
        var bodies: [[UInt8]] = []
        var rest = stream.dropFirst(Preamble.bytes.count)
        while rest.count > FrameHeader.byteCount {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            let type = rest[rest.startIndex + 4]
            let body = rest.dropFirst(FrameHeader.byteCount).prefix(length)
            guard body.count == length else { break }
            bodies.append([type] + body)
            rest = rest.dropFirst(FrameHeader.byteCount + length + FrameHeader.trailerByteCount)
            guard type == FrameType.chunk.rawValue, body.count >= 16 else { continue }
            rest = rest.dropFirst(body.dropFirst(12).prefix(4).reduce(0) { $0 << 8 | Int($1) } + Digest.byteCount)
        }
        return bodies
    }

    private static func checkFrame(_ frame: Frame) throws(BrokenRule) {
        var buffer = ByteBuffer()
        frame.write(into: &buffer)
        let bytes = Array(buffer.readableBytesView)
        let decoded = try DecodedStream(Preamble.bytes + bytes, maxBodyLength: FrameHeader.maxBodyLength) { .max }
        try require(decoded.code == nil, "what is written of \(frame.type) cannot be read: \(decoded.code as Any)")
        let again = try require(decoded.frames.first, "nothing is written of \(frame.type)")
        // Of a long message the beginning is sent.
        if frame.message.utf8.count <= 20_000 { try require(again == frame, "\(frame) is read as \(again)") }
        try require(frame.message.utf8.starts(with: again.message.utf8), "a message is changed where it is cut")
        try requireHarmless(frame.words, "the peer's words")
        var second = ByteBuffer()
        again.write(into: &second)
        try require(Array(second.readableBytesView) == bytes, "\(frame.type) is written in two ways")
    }
}

extension Frame {
    /// The peer's message, where there is one.
    fileprivate var message: String {
        switch self {
        case .error(let failure): failure.message
        case .refuse(let failure), .cancel(let failure): failure.message
        case .listed(let listed): listed.message
        default: ""
        }
    }

    /// What a person gets to see of it.
    fileprivate var words: String {
        switch self {
        case .error(let failure): failure.error.message
        case .refuse(let failure), .cancel(let failure): failure.error.message
        case .listed(let listed): listed.error?.message ?? ""
        case .offer(let offer): offer.pathText
        default: ""
        }
    }
}
