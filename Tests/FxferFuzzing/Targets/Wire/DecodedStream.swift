import FxferProtocol
import NIOCore

/// What a ``FrameDecoder`` makes of a stream.
struct DecodedStream: Equatable {
    /// Payloads that follow each other are joined.
    private(set) var events: [WireEvent] = []
    private(set) var code: FxferError.Code?
    private(set) var isAtBoundary = false

    /// - Parameter length: how many bytes come at once, asked before each piece.
    init(_ stream: [UInt8], maxBodyLength: UInt32, length: () -> Int) throws(BrokenRule) {
        var decoder = FrameDecoder(maxBodyLength: maxBodyLength)
        var rest = stream[...]
        while !rest.isEmpty {
            let piece = rest.prefix(max(1, length()))
            rest = rest.dropFirst(piece.count)
            decoder.append(ByteBuffer(bytes: piece))
            do throws(FxferError) {
                while let event = try decoder.next() {
                    self.note(event)
                }
            } catch {
                try require(self.code == nil, "a stream that was found broken is found broken again")
                self.code = error.code
            }
            try require(
                decoder.heldBytes < Int(maxBodyLength) + 4 || decoder.heldBytes < 12,
                "the decoder holds \(decoder.heldBytes) bytes, more than a frame"
            )
        }
        self.isAtBoundary = decoder.isAtBoundary
        try require(self.code == nil || !self.isAtBoundary, "a broken stream ends at a boundary")
        try self.checkPayloads()
    }

    private mutating func note(_ event: WireEvent) {
        guard case .payload(var new) = event, case .payload(var old) = self.events.last else {
            self.events.append(event)
            return
        }
        old.writeBuffer(&new)
        self.events[self.events.count - 1] = .payload(old)
    }

    /// A chunk's payload and digest follow on its announcement, and nothing else does.
    private func checkPayloads() throws(BrokenRule) {
        var chunk: Chunk?
        var isComplete = true
        for event in self.events {
            switch event {
            case .frame(let frame):
                try require(isComplete, "a frame comes in the middle of a chunk")
                guard case .chunk(let next) = frame else { continue }
                chunk = next
                isComplete = false
            case .payload(let bytes):
                try require(!isComplete && bytes.readableBytes > 0, "a payload belongs to no chunk")
                try require(bytes.readableBytes <= chunk?.length ?? 0, "a payload is longer than its chunk")
            case .payloadEnd:
                try require(!isComplete, "a digest belongs to no chunk")
                isComplete = true
            }
        }
    }

    var frames: [Frame] {
        self.events.compactMap { if case .frame(let frame) = $0 { frame } else { nil } }
    }
}
