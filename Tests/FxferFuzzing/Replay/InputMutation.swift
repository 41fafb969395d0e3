/// SplitMix64 (Steele, Lea, Flood 2014): random numbers that a seed repeats.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

extension [UInt8] {
    /// Bytes at which rules change, and numbers at which arithmetic goes wrong.
    private static let pieces: [[UInt8]] = [
        [0], [0xFF], [0x0A], [0x0D, 0x0A], [0x2F], [0x2E, 0x2E], [0x5C], [0x22], [0x3A], [0x7F], [0xC2, 0x9B],
        [0xFF, 0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0, 0, 0, 0, 0], [0x10, 0, 0, 0, 0, 0, 0, 0], [0xE2, 0x80, 0xAE],
    ]

    /// Changes one thing: flips, inserts, drops, repeats, cuts, or goes on as `other` does.
    mutating func mutate(with other: [UInt8], _ generator: inout SeededGenerator) {
        guard let index = self.indices.randomElement(using: &generator) else {
            self = other
            return
        }
        let end = Swift.min(index + Int.random(in: 1...16, using: &generator), self.count)
        switch Int.random(in: 0..<9, using: &generator) {
        case 0: self.removeSubrange(index..<end)
        case 1: self.insert(contentsOf: self[index..<end], at: index)
        case 2:
            let noise = (index..<end).map { _ in UInt8.random(in: 0...255, using: &generator) }
            self.insert(contentsOf: noise, at: index)
        case 3: self.insert(contentsOf: Self.pieces.randomElement(using: &generator) ?? [], at: index)
        case 4: self.removeSubrange(index...)
        case 5: self = self[..<index] + other.suffix(Int.random(in: 0...other.count, using: &generator))
        case 6: self[index] = UInt8.random(in: 0...255, using: &generator)
        default: self[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        }
    }
}
