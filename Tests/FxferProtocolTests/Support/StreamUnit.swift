import FxferProtocol

/// A frame of a recorded stream with the bytes that follow it outside any frame; mutated, then written with right
/// checksums again, so that the mutation gets as far as the machines.
struct StreamUnit {
    var frame: RawFrame
    var trailer: [UInt8] = []

    var bytes: [UInt8] { self.frame.bytes + self.trailer }

    /// Cuts a stream without damage, preamble included, into its frames.
    static func units(of stream: [UInt8]) -> [StreamUnit] {
        var units: [StreamUnit] = []
        var rest = stream.dropFirst(Preamble.bytes.count)
        while rest.count >= 16 {
            let length = Self.number(rest.prefix(4))
            let body = Array(rest.dropFirst(12).prefix(length))
            let type = rest[rest.startIndex + 4]
            rest = rest.dropFirst(16 + length)
            let trailing = type == FrameType.chunk.rawValue ? Self.number(body[12..<16]) + Digest.byteCount : 0
            units.append(StreamUnit(frame: RawFrame(type: type, body: body), trailer: Array(rest.prefix(trailing))))
            rest = rest.dropFirst(trailing)
        }
        return units
    }

    private static func number(_ bytes: some Sequence<UInt8>) -> Int {
        bytes.reduce(0) { $0 << 8 | Int($1) }
    }
}

extension [StreamUnit] {
    /// Numbers at which arithmetic goes wrong.
    private static let numbers: [UInt64] = [
        0, 1, 2, 65_535, 65_536, 1 << 31, 1 << 32 - 1, 1 << 60 - 1, 1 << 60, 1 << 60 + 1, 1 << 63 - 1, 1 << 63, .max,
    ]

    /// Changes one thing: drops, repeats, swaps, retypes, cuts or extends a frame, changes a byte or number in it.
    mutating func mutate(_ generator: inout SeededGenerator) {
        guard let index = self.indices.randomElement(using: &generator),
            let other = self.indices.randomElement(using: &generator)
        else { return }
        let count = self[index].frame.body.count
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: self.remove(at: index)
        case 1: self.insert(self[index], at: other)
        case 2: self.swapAt(index, other)
        case 3: self[index].frame.type = self[other].frame.type
        case 4: self[index].frame.body.removeLast(Int.random(in: 0...count, using: &generator))
        case 5: self[index].frame.body += generator.bytes(Int.random(in: 1...8, using: &generator))
        case 6: self[index].frame.body.flip(&generator)
        case 7: self[index].trailer.flip(&generator)
        case 8: self.removeSubrange(index...)
        default:
            guard let number = Self.numbers.randomElement(using: &generator), count >= 8 else { return }
            let bytes = bigEndian(number).suffix(Bool.random(using: &generator) ? 4 : 8)
            let start = Int.random(in: 0...(count - bytes.count), using: &generator) / 4 * 4
            self[index].frame.body.replaceSubrange(start..<start + bytes.count, with: bytes)
        }
    }
}

extension [UInt8] {
    /// Changes one byte.
    mutating func flip(_ generator: inout SeededGenerator) {
        guard let index = self.indices.randomElement(using: &generator) else { return }
        self[index] ^= UInt8.random(in: 1...UInt8.max, using: &generator)
    }

    /// Changes one thing: flips, inserts, drops, repeats, cuts.
    mutating func mutate(_ generator: inout SeededGenerator) {
        guard let index = self.indices.randomElement(using: &generator) else { return }
        let end = Swift.min(index + Int.random(in: 1...40, using: &generator), self.count)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: self.removeSubrange(index..<end)
        case 1: self.insert(contentsOf: self[index..<end], at: index)
        case 2: self.insert(contentsOf: generator.bytes(end - index), at: index)
        case 3: self.replaceSubrange(index..<end, with: generator.bytes(end - index))
        case 4: self.removeSubrange(index...)
        default: self.flip(&generator)
        }
    }
}
