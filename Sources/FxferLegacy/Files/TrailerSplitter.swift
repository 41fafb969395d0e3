import NIOCore

/// Tells the thanks at the end of a stream from the file before it. The file may hold the same text anywhere, so only
/// the stream's very end counts: as many last bytes as the text has are held back until the end comes.
struct TrailerSplitter {
    private let trailer: [UInt8]
    /// The last bytes so far, at most as many as the trailer has.
    private var tail = ByteBuffer()

    init(trailer: [UInt8]) {
        self.trailer = trailer
    }

    /// Takes the next bytes of the stream; answers those that belong to the file for certain, in order.
    mutating func push(_ bytes: ByteBuffer) -> [ByteBuffer] {
        var bytes = bytes
        let excess = self.tail.readableBytes + bytes.readableBytes - self.trailer.count
        guard excess > 0 else {
            self.tail.writeBuffer(&bytes)
            return []
        }
        var certain: [ByteBuffer] = []
        if let old = self.tail.readSlice(length: min(excess, self.tail.readableBytes)), old.readableBytes > 0 {
            certain.append(old)
        }
        let fromNew = excess - certain.reduce(0) { $0 + $1.readableBytes }
        if let new = bytes.readSlice(length: fromNew), new.readableBytes > 0 {
            certain.append(new)
        }
        var tail = ByteBuffer()
        tail.writeBuffer(&self.tail)
        tail.writeBuffer(&bytes)
        self.tail = tail
        return certain
    }

    /// The stream has ended: answers what was held back, and whether that is the trailer.
    func finish() -> (tail: ByteBuffer, isTrailer: Bool) {
        (self.tail, self.tail.readableBytesView.elementsEqual(self.trailer))
    }
}
