import FxferProtocol
import NIOCore

/// How a stream of bytes is cut before it reaches the other side.
enum Pieces: Hashable {
    case whole
    case single
    /// Pieces of random size, mostly small.
    case random(seed: UInt64)

    func cut(_ bytes: ByteBuffer) -> [ByteBuffer] {
        switch self {
        case .whole:
            return bytes.readableBytes == 0 ? [] : [bytes]
        case .single:
            return self.cut(bytes) { 1 }
        case .random(let seed):
            var generator = SeededGenerator(seed: seed)
            return self.cut(bytes) { 1 << Int.random(in: 0...16, using: &generator) }
        }
    }

    private func cut(_ bytes: ByteBuffer, count: () -> Int) -> [ByteBuffer] {
        var rest = bytes
        var pieces: [ByteBuffer] = []
        while let piece = rest.readSlice(length: min(count(), rest.readableBytes)), piece.readableBytes > 0 {
            pieces.append(piece)
        }
        return pieces
    }
}

/// What a ``FrameDecoder`` made of a stream.
struct Decoded: Equatable {
    /// Payload pieces that follow each other are joined.
    var events: [WireEvent] = []
    var code: FxferError.Code?
    var isAtBoundary = false

    /// Decodes `bytes`, which begin with the preamble.
    init(_ bytes: [UInt8], _ pieces: Pieces = .whole) {
        var decoder = FrameDecoder()
        do throws(FxferError) {
            for piece in pieces.cut(ByteBuffer(bytes: bytes)) {
                decoder.append(piece)
                while let event = try decoder.next() {
                    self.note(event)
                }
            }
        } catch {
            self.code = error.code
        }
        self.isAtBoundary = decoder.isAtBoundary
    }

    /// Decodes `bytes` behind a preamble.
    init(behindPreamble bytes: [UInt8], _ pieces: Pieces = .whole) {
        self.init(Preamble.bytes + bytes, pieces)
    }

    private mutating func note(_ event: WireEvent) {
        if case .payload(var new) = event, case .payload(var old) = self.events.last {
            old.writeBuffer(&new)
            self.events[self.events.count - 1] = .payload(old)
        } else {
            self.events.append(event)
        }
    }

    /// The frames among the events.
    var frames: [Frame] {
        self.events.compactMap { if case .frame(let frame) = $0 { frame } else { nil } }
    }
}
